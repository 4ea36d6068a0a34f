//! One spacing scale, one accent, colours of sockets.

use egui::{Color32, Context};
use longtake_editor::settings::Theme;
use longtake_editor::{Text, t};

/// The unit of the spacing scale, points: gaps are 1, 2, 3, 4 or 6 of it.
pub const UNIT: f32 = 4.0;
/// Height of a row, points.
pub const ROW: f32 = 24.0;
/// Radius of rounded corners, points.
pub const RADIUS: u8 = 6;

/// Colours that egui's visuals have no place for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Palette {
    /// The one accent: selection, focus, progress.
    pub accent: Color32,
    /// Behind the nodes.
    pub canvas: Color32,
    /// The grid.
    pub grid: Color32,
    /// A node's body.
    pub node: Color32,
    /// A node's head.
    pub head: Color32,
    /// A node's edge.
    pub edge: Color32,
    /// Text.
    pub text: Color32,
    /// Text that matters less.
    pub weak: Color32,
    /// Done.
    pub good: Color32,
    /// Worth a look.
    pub warn: Color32,
    /// Wrong.
    pub bad: Color32,
}

/// The palette of the present theme.
pub fn palette(dark: bool) -> Palette {
    if dark {
        Palette {
            accent: Color32::from_rgb(94, 158, 255),
            canvas: Color32::from_rgb(24, 25, 28),
            grid: Color32::from_rgb(35, 37, 41),
            node: Color32::from_rgb(43, 45, 50),
            head: Color32::from_rgb(54, 57, 63),
            edge: Color32::from_rgb(70, 73, 80),
            text: Color32::from_rgb(224, 226, 230),
            weak: Color32::from_rgb(150, 154, 162),
            good: Color32::from_rgb(98, 184, 120),
            warn: Color32::from_rgb(226, 178, 84),
            bad: Color32::from_rgb(232, 98, 92),
        }
    } else {
        Palette {
            accent: Color32::from_rgb(30, 106, 224),
            canvas: Color32::from_rgb(236, 237, 240),
            grid: Color32::from_rgb(222, 224, 228),
            node: Color32::from_rgb(252, 252, 253),
            head: Color32::from_rgb(240, 241, 244),
            edge: Color32::from_rgb(198, 201, 208),
            text: Color32::from_rgb(34, 36, 41),
            weak: Color32::from_rgb(104, 108, 116),
            good: Color32::from_rgb(32, 132, 62),
            warn: Color32::from_rgb(168, 112, 8),
            bad: Color32::from_rgb(196, 48, 42),
        }
    }
}

/// The palette that `ui` is drawn in.
pub fn of(ui: &egui::Ui) -> Palette {
    palette(ui.visuals().dark_mode)
}

/// Colour of a socket and its links, by the type's name. Known types have colours near ComfyUI's;
/// others get one from their name, the same in every session.
pub fn kind_colour(kind: &str, dark: bool) -> Color32 {
    let first = kind.split(',').next().unwrap_or(kind).trim();
    let rgb: [u8; 3] = match first {
        "IMAGE" => [100, 181, 246],
        "MASK" => [129, 199, 132],
        "LATENT" => [255, 128, 171],
        "MODEL" => [179, 157, 219],
        "CLIP" => [255, 213, 79],
        "CLIP_VISION" => [168, 218, 220],
        "CLIP_VISION_OUTPUT" => [173, 116, 82],
        "CONTROL_NET" => [110, 231, 183],
        "VAE" => [239, 110, 110],
        "CONDITIONING" => [255, 168, 72],
        "VIDEO" => [77, 208, 225],
        "AUDIO" => [174, 213, 129],
        "INT" | "FLOAT" => [144, 164, 174],
        "STRING" | "COMBO" => [161, 196, 161],
        "BOOLEAN" => [190, 160, 120],
        "STORYBOARD" => [240, 140, 220],
        "*" => [160, 160, 160],
        other => {
            let hash = other
                .bytes()
                .fold(5381u32, |h, b| h.wrapping_mul(33) ^ u32::from(b));
            let hue = (hash % 360) as f32 / 360.0;
            let [r, g, b, _] = egui::ecolor::Hsva::new(hue, 0.45, 0.9, 1.0).to_srgba_unmultiplied();
            [r, g, b]
        }
    };
    let [r, g, b] = if dark {
        rgb
    } else {
        rgb.map(|v| (u16::from(v) * 7 / 10) as u8)
    };
    Color32::from_rgb(r, g, b)
}

/// A dialog over the whole window.
pub fn modal(ctx: &Context, id: &str) -> egui::Modal {
    let frame = egui::Frame::popup(&ctx.style_of(ctx.theme())).inner_margin(4.0 * UNIT);
    egui::Modal::new(egui::Id::new(id)).frame(frame)
}

/// Colours offered for nodes and groups, and what they are called: those ComfyUI's people know, a little
/// calmer.
pub const COLOURS: [(&str, Text); 8] = [
    ("#8a4a4a", t("Red", "赤")),
    ("#8a6a3f", t("Brown", "茶")),
    ("#7d7a3f", t("Olive", "オリーブ")),
    ("#4f7a4a", t("Green", "緑")),
    ("#3f7a7a", t("Teal", "青緑")),
    ("#46628c", t("Blue", "青")),
    ("#6a5090", t("Violet", "紫")),
    ("#8a4f78", t("Pink", "ピンク")),
];

/// Bytes as every panel says them: `320 MiB`, `1.5 GiB`.
pub fn bytes(count: u64) -> String {
    let mebi = count as f64 / f64::from(1 << 20);
    if mebi < 1000.0 {
        format!("{mebi:.0} MiB")
    } else {
        format!("{:.1} GiB", mebi / 1024.0)
    }
}

/// Where Debian, Fedora, Arch, macOS and Windows keep a font with Japanese glyphs, and which face of
/// the file is the Japanese one.
const JAPANESE: [(&str, u32); 7] = [
    ("/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc", 0),
    (
        "/usr/share/fonts/google-noto-cjk/NotoSansCJK-Regular.ttc",
        0,
    ),
    ("/usr/share/fonts/noto-cjk/NotoSansCJK-Regular.ttc", 0),
    ("/usr/share/fonts/truetype/fonts-japanese-gothic.ttf", 0),
    ("/usr/share/fonts/opentype/ipafont-gothic/ipag.ttf", 0),
    ("/System/Library/Fonts/ヒラギノ角ゴシック W3.ttc", 0),
    ("C:\\Windows\\Fonts\\YuGothM.ttc", 0),
];

/// Adds the desktop's Japanese font behind the bundled Latin one. The file is mapped, not read: only
/// the pages of glyphs that are shown cost memory.
pub fn fonts(ctx: &Context) {
    let found = JAPANESE.iter().find_map(|(path, index)| {
        let file = std::fs::File::open(path).ok()?;
        // SAFETY: the map is read-only. Should the system replace the font while the window is open,
        // glyphs may look wrong; installers write a new file instead.
        #[allow(unsafe_code, reason = "mapping a font of 20 MB rather than reading it")]
        let map = unsafe { memmap2::Mmap::map(&file) }.ok()?;
        Some((Box::leak(Box::new(map)), *index))
    });
    let Some((map, index)) = found else { return };
    let mut data = egui::FontData::from_static(map);
    data.index = index;
    let mut fonts = egui::FontDefinitions::default();
    fonts
        .font_data
        .insert("japanese".to_owned(), std::sync::Arc::new(data));
    for family in [egui::FontFamily::Proportional, egui::FontFamily::Monospace] {
        fonts
            .families
            .entry(family)
            .or_default()
            .push("japanese".to_owned());
    }
    ctx.set_fonts(fonts);
}

/// Sets spacing and colours. Called when the theme or scale changes.
pub fn apply(ctx: &Context, theme: Theme, scale: f32) {
    ctx.set_theme(match theme {
        Theme::Dark => egui::ThemePreference::Dark,
        Theme::Light => egui::ThemePreference::Light,
        Theme::System => egui::ThemePreference::System,
    });
    ctx.set_zoom_factor(scale.clamp(0.5, 3.0));
    for dark in [true, false] {
        let which = if dark {
            egui::Theme::Dark
        } else {
            egui::Theme::Light
        };
        ctx.style_mut_of(which, |style| style_of(style, palette(dark)));
    }
}

fn style_of(style: &mut egui::Style, colours: Palette) {
    let spacing = &mut style.spacing;
    spacing.item_spacing = egui::vec2(2.0 * UNIT, UNIT);
    spacing.button_padding = egui::vec2(2.0 * UNIT, UNIT);
    spacing.interact_size.y = ROW;
    spacing.window_margin = egui::Margin::same(4 * UNIT as i8);
    let visuals = &mut style.visuals;
    visuals.override_text_color = Some(colours.text);
    visuals.weak_text_color = Some(colours.weak);
    visuals.panel_fill = colours.node;
    visuals.window_fill = colours.node;
    visuals.hyperlink_color = colours.accent;
    visuals.selection.bg_fill = colours.accent.gamma_multiply(0.45);
    visuals.selection.stroke = egui::Stroke::new(1.0, colours.accent);
    visuals.error_fg_color = colours.bad;
    visuals.warn_fg_color = colours.warn;
}
