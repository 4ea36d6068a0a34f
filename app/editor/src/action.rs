//! What panels ask for. They read the [`crate::Studio`] and send these; nothing else changes it.

use std::collections::HashMap;
use std::path::PathBuf;

use longtake_graph::declare::FileKind;
use longtake_graph::{Edit, Link, NodeId};

use crate::command::Command;
use crate::language::{Language, Text};
use crate::queue::{JobId, QueueAction};
use crate::selection::{Item, Selection};
use crate::subgraph::Side;

/// A wish of a panel.
#[derive(Clone, Debug)]
pub enum Action {
    /// An edit of the open graph: one undo unit.
    Edit(Text, Edit),
    /// An edit within an interaction that goes on (a drag, typing): joins the open unit.
    Live(Text, Edit),
    /// An edit of the whole document (subgraph definitions): one undo unit.
    EditRoot(Text, Edit),
    /// The interaction is over.
    Settle,
    /// Exactly these are selected.
    Select(Selection),
    /// Adds this to the selection, or drops it.
    Toggle(Item),
    /// Adds a node of this class with its top left corner at a point; `link` joins it to a loose
    /// link's end.
    AddNode {
        class: String,
        pos: [f32; 2],
        link: Option<LooseLink>,
    },
    /// Links an output to an input; refused with a message when they do not fit.
    Connect {
        to: NodeId,
        input: String,
        from: Link,
    },
    /// Takes the link at an input away.
    Disconnect { to: NodeId, input: String },
    /// Takes a link from one input to another.
    Relink {
        from: (NodeId, String),
        to: (NodeId, String),
    },
    /// Takes all links of an output to another one.
    MoveLinks { from: Link, to: Link },
    /// Moves a node to a point and puts it into the link at an input.
    PutInto {
        node: NodeId,
        pos: [f32; 2],
        to: NodeId,
        input: String,
    },
    /// Puts a reroute into the link at an input, with its top left corner at a point.
    Bend {
        to: NodeId,
        input: String,
        pos: [f32; 2],
    },
    /// Shows a parameter as an input, or turns it back.
    Expose {
        node: NodeId,
        input: String,
        exposed: bool,
    },
    /// Colours the selected nodes and groups, `#rrggbb`; `None` takes their colour away.
    Colour(Option<String>),
    /// Gives a node or group a title, or a note its text.
    Rename(Item, String),
    /// Adds a port to the open subgraph for a loose link that was dropped on its border.
    AddPort(LooseLink),
    /// Removes a port of the open subgraph.
    RemovePort(Side, usize),
    /// Gives a port of the open subgraph another label.
    RenamePort(Side, usize, String),
    /// How large the nodes of the open graph are drawn, points. The canvas tells when it changes.
    Sizes(HashMap<NodeId, [f32; 2]>),
    /// Something with a name, a menu entry and maybe keys.
    Command(Command),
    /// Opens the subgraph of an instance.
    Enter(NodeId),
    /// Goes out until this many instances are entered.
    LeaveTo(usize),
    /// Back or forward to a state of the history panel: how many units stay done.
    HistoryTo(usize),
    /// Opens a file that holds a graph; asks first when work would be lost.
    Open(PathBuf),
    /// Opens a preset as a document that has no file yet; asks first when work would be lost.
    OpenPreset(PathBuf),
    /// Saves under this name.
    SaveAs(PathBuf),
    /// Writes the prompt JSON for a headless render.
    ExportPrompt(PathBuf),
    /// Puts the graph of a file into the open one, at a point.
    Insert(PathBuf, [f32; 2]),
    /// Brings a file into the input folder and writes its name at a parameter.
    TakeFile {
        node: NodeId,
        input: String,
        path: PathBuf,
    },
    /// Answers the question that shows (`Studio::question`) by the place of a choice.
    Answer(usize),
    /// Drops a file from the recent ones.
    ForgetRecent(PathBuf),
    /// Something about the queue.
    Queue(QueueAction),
    /// Tells of something that cannot be done.
    Tell(String),
    /// The language of the window.
    SetLanguage(Language),
    /// Tells of something that went well.
    Told(String),
    /// Other settings.
    SetSettings(Box<crate::Settings>),
    /// Takes the message at this position away.
    CloseMessage(usize),
    /// Pastes a text from the clipboard at the mouse; `linked`: also with links from outside.
    Paste { text: String, linked: bool },
    /// The mouse is over this point of the graph.
    Mouse([f32; 2]),
    /// Opens a file with the program that the desktop has for it.
    OpenOutside(PathBuf),
    /// Shows a file in its folder, in the desktop's file manager.
    ShowInFolder(PathBuf),
    /// Shows a folder in the desktop's file manager.
    ShowFolder(PathBuf),
    /// Something only the window can do.
    Window(WindowAction),
}

/// One end of a link, in a person's hand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LooseLink {
    /// From an output: the new node's first fitting input takes it.
    FromOutput { node: NodeId, output: u32 },
    /// From an input: the new node's first fitting output feeds it.
    FromInput { node: NodeId, input: String },
}

/// What only the window can do. The studio passes these on.
#[derive(Clone, Debug, PartialEq)]
pub enum WindowAction {
    /// Something that the canvas does.
    Canvas(CanvasAction),
    /// Something that the viewer does; its panel comes to the front.
    Viewer(ViewerAction),
    /// Asks for a file, brings it into the input folder and writes its name at a parameter.
    AskFile {
        node: NodeId,
        input: String,
        kind: FileKind,
    },
    /// Puts a text on the system's clipboard.
    SetClipboard(String),
    /// Pastes what the system's clipboard holds; where that tells nothing, what was copied last
    /// here. `linked`: also with links from outside.
    Paste {
        linked: bool,
    },
    /// Opens the command palette.
    Palette,
    /// Asks for a file to open, and so on: dialogs of the desktop.
    AskOpen,
    AskSaveAs,
    AskExport,
    AskInsert,
    /// Asks where to save the frame that the viewer shows.
    AskSaveFrame,
    /// Shows or hides a panel.
    TogglePanel(Panel),
    /// Shows the ready graphs, or goes back to the open one.
    ToggleGallery,
    /// Puts the panels where they lay at the first start.
    ResetPanels,
    /// Light where it is dark, dark where it is light: what the desktop chose is known to the window
    /// only.
    ToggleTheme,
    /// Opens the settings.
    Settings,
    /// Ends the program now: sent after [`Command::Quit`], which asks first when work would be lost.
    /// Closing the window from outside is that command too.
    Quit,
}

/// What only the canvas can do.
#[derive(Clone, Debug, PartialEq)]
pub enum CanvasAction {
    /// Shows all of the graph.
    Fit,
    /// Shows what is selected.
    FitSelection,
    /// One point a pixel.
    ZoomOne,
    /// Brings a node (of the open graph) into view and selects it.
    Reveal(NodeId),
    /// Opens the node search at the mouse.
    SearchNode,
    /// Opens the node search for a loose link's other end, and what the link carries.
    SearchFor(LooseLink, String),
    /// The title of the focused node, group or note becomes a text field.
    Rename,
}

/// What only the viewer can do. `second`: as the B side of the comparison.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ViewerAction {
    /// Shows what a node (lowered id) made.
    Node { node: NodeId, second: bool },
    /// Shows a file.
    File { path: PathBuf, second: bool },
    /// Shows the outputs of a finished job beside those of another.
    Jobs(JobId, JobId),
}

/// A panel that can be shown and hidden.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Panel {
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

impl From<CanvasAction> for Action {
    fn from(it: CanvasAction) -> Self {
        Self::Window(WindowAction::Canvas(it))
    }
}

impl From<ViewerAction> for Action {
    fn from(it: ViewerAction) -> Self {
        Self::Window(WindowAction::Viewer(it))
    }
}
