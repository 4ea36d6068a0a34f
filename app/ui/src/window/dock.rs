//! The docked panels: which there are, how they lie at first.

use egui::WidgetText;
use egui_tiles::{Behavior, EditAction, SimplificationOptions, TileId, Tiles, Tree, UiResponse};
use longtake_editor::{Panel, Settings, Studio, Text, t};
use serde_json::Value;

use super::{Panels, arrangement};
use crate::{Cx, theme};

/// A panel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pane {
    /// The graph.
    Canvas,
    /// The focused node.
    Inspector,
    /// The plan.
    Plan,
    /// The queue.
    Queue,
    /// Pictures and clips.
    Viewer,
    /// Checkpoints.
    Models,
    /// Undo history.
    History,
}

impl Pane {
    /// Every panel.
    pub const ALL: [Self; 7] = [
        Self::Canvas,
        Self::Inspector,
        Self::Plan,
        Self::Queue,
        Self::Viewer,
        Self::Models,
        Self::History,
    ];

    /// Its key in the settings.
    pub const fn key(self) -> &'static str {
        match self {
            Self::Canvas => "canvas",
            Self::Inspector => "inspector",
            Self::Plan => "plan",
            Self::Queue => "queue",
            Self::Viewer => "viewer",
            Self::Models => "models",
            Self::History => "history",
        }
    }

    const fn title(self) -> Text {
        match self {
            Self::Canvas => t("Graph", "グラフ"),
            Self::Inspector => t("Inspector", "インスペクター"),
            Self::Plan => t("Plan", "プラン"),
            Self::Queue => t("Queue", "キュー"),
            Self::Viewer => t("Viewer", "ビューアー"),
            Self::Models => t("Models", "モデル"),
            Self::History => t("History", "履歴"),
        }
    }
}

impl From<Panel> for Pane {
    fn from(panel: Panel) -> Self {
        match panel {
            Panel::Inspector => Self::Inspector,
            Panel::Plan => Self::Plan,
            Panel::Queue => Self::Queue,
            Panel::Viewer => Self::Viewer,
            Panel::Models => Self::Models,
            Panel::History => Self::History,
        }
    }
}

/// Panels hidden until someone asks for them.
const HIDDEN_AT_FIRST: [Pane; 1] = [Pane::History];

/// Key of the settings under which the layout is kept.
const LAYOUT: &str = "panels";
/// Key of the settings under which the hidden panels are kept.
const HIDDEN: &str = "hidden_panels";

/// The panels as they lay when the program ended, or as at the first start.
pub fn tree(settings: &Settings) -> Tree<Pane> {
    let kept = settings.extra.get(LAYOUT).and_then(arrangement::read);
    let mut tree = kept.unwrap_or_else(first);
    let hidden = settings.extra.get(HIDDEN).and_then(|it| it.as_array());
    let is_hidden = |pane: Pane| match hidden {
        // Without the graph there would be nothing to work on.
        _ if pane == Pane::Canvas => false,
        Some(list) => list.iter().any(|it| it == pane.key()),
        None => HIDDEN_AT_FIRST.contains(&pane),
    };
    let ids: Vec<TileId> = tree.tiles.tile_ids().collect();
    for id in ids {
        let pane = tree.tiles.get_pane(&id);
        if pane.is_some_and(|pane| is_hidden(*pane)) {
            tree.set_visible(id, false);
        }
    }
    tree
}

/// Writes into the settings how the panels lie and which are hidden.
pub fn keep(tree: &Tree<Pane>, settings: &mut Settings) {
    let hidden = Value::from(hidden(tree));
    for (key, value) in [(LAYOUT, arrangement::write(tree)), (HIDDEN, hidden)] {
        settings.extra.insert(key.to_owned(), value);
    }
}

/// Forgets how the panels lay.
pub fn forget(settings: &mut Settings) {
    for key in [LAYOUT, HIDDEN] {
        settings.extra.remove(key);
    }
}

/// The first layout: the graph over plan and queue; inspector over viewer at its right.
fn first() -> Tree<Pane> {
    let mut tiles = Tiles::default();
    let canvas = tiles.insert_pane(Pane::Canvas);
    let below = [Pane::Plan, Pane::Queue, Pane::Models].map(|pane| tiles.insert_pane(pane));
    let below = tiles.insert_tab_tile(below.to_vec());
    let middle = tiles.insert_vertical_tile(vec![canvas, below]);
    let beside = [Pane::Inspector, Pane::History].map(|pane| tiles.insert_pane(pane));
    let beside = tiles.insert_tab_tile(beside.to_vec());
    let viewer = tiles.insert_pane(Pane::Viewer);
    let right = tiles.insert_vertical_tile(vec![beside, viewer]);
    let root = tiles.insert_horizontal_tile(vec![middle, right]);
    for (container, child, share) in [
        (middle, canvas, 0.69),
        (middle, below, 0.31),
        (right, beside, 0.58),
        (right, viewer, 0.42),
        (root, middle, 0.76),
        (root, right, 0.24),
    ] {
        if let Some(egui_tiles::Tile::Container(egui_tiles::Container::Linear(linear))) =
            tiles.get_mut(container)
        {
            linear.shares.set_share(child, share);
        }
    }
    Tree::new("panels", root, tiles)
}

/// Shows or hides a panel; a panel behind another tab comes to the front.
pub fn toggle(tree: &mut Tree<Pane>, pane: Pane) {
    let Some(id) = tree.tiles.find_pane(&pane) else {
        return;
    };
    let shown = tree.is_visible(id) && tree.active_tiles().contains(&id);
    tree.set_visible(id, !shown);
    if !shown {
        tree.make_active(|tile, _| tile == id);
    }
}

/// Brings a panel to the front, if it is not in sight.
pub fn show(tree: &mut Tree<Pane>, pane: Pane) {
    if let Some(id) = tree.tiles.find_pane(&pane) {
        tree.set_visible(id, true);
        tree.make_active(|tile, _| tile == id);
    }
}

/// Keys of the hidden panels.
fn hidden(tree: &Tree<Pane>) -> Vec<&'static str> {
    let tiles = tree.tiles.tile_ids().filter(|id| !tree.is_visible(*id));
    let mut keys: Vec<&'static str> = tiles
        .filter_map(|id| Some(tree.tiles.get_pane(&id)?.key()))
        .collect();
    keys.sort_unstable();
    keys
}

/// The name of the open document, with a dot while it differs from its file.
fn document_title(studio: &Studio) -> String {
    const ELSEWHERE: Text = t("open in another window", "別のウィンドウで編集中");
    let title = studio.title();
    let title = title.trim_end_matches(" — Longtake");
    match studio.files.elsewhere {
        Some(_) => format!("{title} ({})", studio.tr(ELSEWHERE)),
        None => title.to_owned(),
    }
}

/// Draws each panel where the tree puts it.
pub struct Panes<'a, 'b> {
    pub panels: &'a mut Panels,
    pub cx: &'a mut Cx<'b>,
    /// A person moved or resized a panel, or chose a tab.
    pub edited: bool,
}

impl Behavior<Pane> for Panes<'_, '_> {
    fn pane_ui(&mut self, ui: &mut egui::Ui, _: TileId, pane: &mut Pane) -> UiResponse {
        let cx = &mut *self.cx;
        if *pane == Pane::Canvas {
            self.panels.canvas.ui(ui, cx);
            return UiResponse::None;
        }
        let margin = if *pane == Pane::Viewer { 0 } else { 8 };
        egui::Frame::NONE
            .fill(theme::of(ui).node)
            .inner_margin(margin)
            .show(ui, |ui| {
                ui.set_min_size(ui.available_size());
                match pane {
                    Pane::Canvas => {}
                    Pane::Inspector => self.panels.inspector.ui(ui, cx),
                    Pane::Plan => self.panels.plan.ui(ui, cx),
                    Pane::Queue => self.panels.queue.ui(ui, cx),
                    Pane::Viewer => self.panels.viewer.ui(ui, cx),
                    Pane::Models => self.panels.models.ui(ui, cx),
                    Pane::History => self.panels.history.ui(ui, cx),
                }
            });
        UiResponse::None
    }

    fn on_edit(&mut self, _: EditAction) {
        self.edited = true;
    }

    fn tab_title_for_pane(&mut self, pane: &Pane) -> WidgetText {
        if *pane == Pane::Canvas {
            return document_title(self.cx.studio).into();
        }
        self.cx.tr(pane.title()).into()
    }

    fn simplification_options(&self) -> SimplificationOptions {
        SimplificationOptions {
            all_panes_must_have_tabs: true,
            ..SimplificationOptions::default()
        }
    }

    fn gap_width(&self, _: &egui::Style) -> f32 {
        2.0
    }

    fn tab_bar_height(&self, _: &egui::Style) -> f32 {
        theme::ROW + theme::UNIT
    }

    fn tab_bar_color(&self, visuals: &egui::Visuals) -> egui::Color32 {
        theme::palette(visuals.dark_mode).canvas
    }

    fn tab_bg_color(
        &self,
        visuals: &egui::Visuals,
        _: &Tiles<Pane>,
        _: TileId,
        state: &egui_tiles::TabState,
    ) -> egui::Color32 {
        let colours = theme::palette(visuals.dark_mode);
        if state.active {
            colours.node
        } else {
            colours.canvas
        }
    }

    fn tab_text_color(
        &self,
        visuals: &egui::Visuals,
        _: &Tiles<Pane>,
        _: TileId,
        state: &egui_tiles::TabState,
    ) -> egui::Color32 {
        let colours = theme::palette(visuals.dark_mode);
        if state.active {
            colours.text
        } else {
            colours.weak
        }
    }

    fn tab_outline_stroke(
        &self,
        _: &egui::Visuals,
        _: &Tiles<Pane>,
        _: TileId,
        _: &egui_tiles::TabState,
    ) -> egui::Stroke {
        egui::Stroke::NONE
    }

    fn tab_bar_hline_stroke(&self, _: &egui::Visuals) -> egui::Stroke {
        egui::Stroke::NONE
    }
}
