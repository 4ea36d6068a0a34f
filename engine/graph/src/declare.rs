//! What a node class declares about itself: sockets, parameters, ranges, help.
//!
//! Declarations are constants. `longtake nodes --json`, the checks on a graph, the editor's
//! widgets and the node tests all read them; none of them knows a node by name.

use crate::Kind;

/// A node class as its users see it.
#[derive(Clone, Debug)]
pub struct Declaration {
    /// Saved in files (`class_type`): never a Rust name, never renamed.
    pub class: &'static str,
    /// English title.
    pub title: &'static str,
    /// Japanese title.
    pub title_ja: &'static str,
    /// Menu path, `a/b`.
    pub category: &'static str,
    /// The same path in Japanese, as deep.
    pub category_ja: &'static str,
    /// What the node is for, in a sentence or two.
    pub help: &'static str,
    /// The same in Japanese.
    pub help_ja: &'static str,
    /// Inputs in the order ComfyUI shows them: required first.
    pub inputs: &'static [InputDecl],
    /// Outputs by position.
    pub outputs: &'static [OutputDecl],
    /// True when running the node is an end in itself (it saves or shows something).
    pub output_node: bool,
    /// True for steps that only the compiler makes; never offered to people.
    pub internal: bool,
    /// Part of every signature: raise it when the node's results change.
    pub version: u32,
}

impl Declaration {
    /// A declaration with everything but the name left empty; for `..Declaration::EMPTY`.
    pub const EMPTY: Self = Self {
        class: "",
        title: "",
        title_ja: "",
        category: "",
        category_ja: "",
        help: "",
        help_ja: "",
        inputs: &[],
        outputs: &[],
        output_node: false,
        internal: false,
        version: 1,
    };

    /// The input of that name.
    pub fn input(&self, name: &str) -> Option<&'static InputDecl> {
        self.inputs.iter().find(|input| input.name == name)
    }
}

/// One input: a socket, or a parameter that can also be linked.
#[derive(Clone, Copy, Debug)]
pub struct InputDecl {
    /// Name in files.
    pub name: &'static str,
    /// What it takes.
    pub ty: InputType,
    /// Missing is an error when true and the type has no default.
    pub required: bool,
    /// One line for people.
    pub help: &'static str,
    /// The same in Japanese.
    pub help_ja: &'static str,
    /// Unit shown behind the number (`px`, `s`, `fps`), or empty.
    pub unit: &'static str,
}

/// What an input takes.
#[derive(Clone, Copy, Debug)]
pub enum InputType {
    /// Only a link.
    Socket(Kind),
    /// Whole number. Bounds are wide enough for 64-bit seeds.
    Int {
        default: i128,
        min: i128,
        max: i128,
        step: i128,
        seed: bool,
    },
    /// Real number.
    Float {
        default: f64,
        min: f64,
        max: f64,
        step: f64,
    },
    /// Text.
    Text {
        default: &'static str,
        multiline: bool,
    },
    /// Truth value.
    Bool { default: bool },
    /// One of a fixed list.
    Choice {
        default: &'static str,
        options: &'static [&'static str],
    },
    /// A checkpoint's file name under a folder of `--models`.
    Model { folder: ModelFolder },
    /// A file's name under `--input`.
    File { what: FileKind },
    /// A colour, `#rrggbb` or `#rrggbbaa`.
    Colour { default: &'static str },
    /// A curve through points `[x, y]`, both 0..1, `x` rising; see [`crate::Curve`].
    Curve { default: &'static [[f32; 2]] },
    /// A shot list: an array of shot objects, see [`crate::shots`].
    Shots,
}

/// What a file input reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FileKind {
    /// PNG, JPEG, WebP.
    Image,
    /// Any container the media layer reads.
    Video,
    /// `.latent` safetensors.
    Latent,
    /// Keypoint JSON, or a folder of it.
    Keypoints,
}

/// A folder of the models tree, named as ComfyUI names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ModelFolder {
    DiffusionModels,
    TextEncoders,
    Vae,
    Loras,
    ClipVision,
    Controlnet,
    UpscaleModels,
}

impl ModelFolder {
    /// Every folder, in the order they are listed to people.
    pub const ALL: [Self; 7] = [
        Self::DiffusionModels,
        Self::TextEncoders,
        Self::Vae,
        Self::Loras,
        Self::ClipVision,
        Self::Controlnet,
        Self::UpscaleModels,
    ];

    /// Folder names looked in, in order: today's name, then the one older trees use.
    pub const fn names(self) -> &'static [&'static str] {
        match self {
            Self::DiffusionModels => &["diffusion_models", "unet"],
            Self::TextEncoders => &["text_encoders", "clip"],
            Self::Vae => &["vae"],
            Self::Loras => &["loras"],
            Self::ClipVision => &["clip_vision"],
            Self::Controlnet => &["controlnet"],
            Self::UpscaleModels => &["upscale_models"],
        }
    }
}

/// One output.
#[derive(Clone, Copy, Debug)]
pub struct OutputDecl {
    /// Name shown on the socket.
    pub name: &'static str,
    /// Its type.
    pub kind: Kind,
}

/// An output socket.
pub const fn output(name: &'static str, kind: Kind) -> OutputDecl {
    OutputDecl { name, kind }
}

const fn input(name: &'static str, ty: InputType) -> InputDecl {
    InputDecl {
        name,
        ty,
        required: true,
        help: "",
        help_ja: "",
        unit: "",
    }
}

/// A socket that takes only links.
pub const fn socket(name: &'static str, kind: Kind) -> InputDecl {
    input(name, InputType::Socket(kind))
}

/// A whole number; bound it with [`InputDecl::within`].
pub const fn int(name: &'static str, default: i128) -> InputDecl {
    input(
        name,
        InputType::Int {
            default,
            min: 0,
            max: i32::MAX as i128,
            step: 1,
            seed: false,
        },
    )
}

/// A 64-bit seed.
pub const fn seed(name: &'static str) -> InputDecl {
    input(
        name,
        InputType::Int {
            default: 0,
            min: 0,
            max: u64::MAX as i128,
            step: 1,
            seed: true,
        },
    )
}

/// A real number; bound it with [`InputDecl::within_f`].
pub const fn float(name: &'static str, default: f64) -> InputDecl {
    input(
        name,
        InputType::Float {
            default,
            min: 0.0,
            max: 1.0,
            step: 0.01,
        },
    )
}

/// One line of text.
pub const fn text(name: &'static str, default: &'static str) -> InputDecl {
    input(
        name,
        InputType::Text {
            default,
            multiline: false,
        },
    )
}

/// Several lines of text.
pub const fn text_area(name: &'static str, default: &'static str) -> InputDecl {
    input(
        name,
        InputType::Text {
            default,
            multiline: true,
        },
    )
}

/// A truth value.
pub const fn boolean(name: &'static str, default: bool) -> InputDecl {
    input(name, InputType::Bool { default })
}

/// One of a list.
pub const fn choice(
    name: &'static str,
    default: &'static str,
    options: &'static [&'static str],
) -> InputDecl {
    input(name, InputType::Choice { default, options })
}

/// A colour.
pub const fn colour(name: &'static str, default: &'static str) -> InputDecl {
    input(name, InputType::Colour { default })
}

/// A curve through points.
pub const fn curve(name: &'static str, default: &'static [[f32; 2]]) -> InputDecl {
    input(name, InputType::Curve { default })
}

/// A checkpoint under `--models`.
pub const fn model_file(name: &'static str, folder: ModelFolder) -> InputDecl {
    input(name, InputType::Model { folder })
}

/// A file under `--input`.
pub const fn input_file(name: &'static str, what: FileKind) -> InputDecl {
    input(name, InputType::File { what })
}

/// The shot list.
pub const fn shots(name: &'static str) -> InputDecl {
    input(name, InputType::Shots)
}

impl InputDecl {
    /// Bounds a whole number.
    #[must_use]
    pub const fn within(mut self, low: i128, high: i128) -> Self {
        if let InputType::Int {
            default,
            step,
            seed,
            ..
        } = self.ty
        {
            self.ty = InputType::Int {
                default,
                min: low,
                max: high,
                step,
                seed,
            };
        }
        self
    }

    /// Bounds a real number.
    #[must_use]
    pub const fn within_f(mut self, low: f64, high: f64) -> Self {
        if let InputType::Float { default, step, .. } = self.ty {
            self.ty = InputType::Float {
                default,
                min: low,
                max: high,
                step,
            };
        }
        self
    }

    /// The grid of a whole number, counted from its minimum as ComfyUI's widgets do.
    #[must_use]
    pub const fn step(mut self, by: i128) -> Self {
        if let InputType::Int {
            default,
            min,
            max,
            seed,
            ..
        } = self.ty
        {
            self.ty = InputType::Int {
                default,
                min,
                max,
                step: by,
                seed,
            };
        }
        self
    }

    /// The grid of a real number.
    #[must_use]
    pub const fn step_f(mut self, by: f64) -> Self {
        if let InputType::Float {
            default, min, max, ..
        } = self.ty
        {
            self.ty = InputType::Float {
                default,
                min,
                max,
                step: by,
            };
        }
        self
    }

    /// May be left out.
    #[must_use]
    pub const fn optional(mut self) -> Self {
        self.required = false;
        self
    }

    /// One line for people, in English and Japanese.
    ///
    /// # Panics
    /// When a side is empty: while compiling, for a constant.
    #[must_use]
    pub const fn help(mut self, en: &'static str, ja: &'static str) -> Self {
        assert!(
            !en.is_empty() && !ja.is_empty(),
            "a help needs both languages"
        );
        self.help = en;
        self.help_ja = ja;
        self
    }

    /// Unit behind the number.
    #[must_use]
    pub const fn unit(mut self, unit: &'static str) -> Self {
        self.unit = unit;
        self
    }

    /// The kind a link into this input must carry.
    pub fn kind(&self) -> Kind {
        match &self.ty {
            InputType::Socket(kind) => *kind,
            InputType::Int { .. } => Kind::INT,
            // ComfyUI lets an INT flow into a FLOAT; the value is converted.
            InputType::Float { .. } => Kind::named("FLOAT,INT"),
            InputType::Bool { .. } => Kind::BOOLEAN,
            InputType::Choice { .. } | InputType::Model { .. } | InputType::File { .. } => {
                Kind::named("STRING,COMBO")
            }
            InputType::Text { .. } | InputType::Colour { .. } => Kind::STRING,
            InputType::Curve { .. } => Kind::CURVE,
            InputType::Shots => Kind::STORYBOARD,
        }
    }

    /// The value used when nothing is given, if the type has one.
    pub fn default_value(&self) -> Option<serde_json::Value> {
        use serde_json::Value;
        match &self.ty {
            InputType::Int { default, .. } => Some(match i64::try_from(*default) {
                Ok(small) => Value::from(small),
                Err(_) => Value::from(*default as u64),
            }),
            InputType::Float { default, .. } => Some(Value::from(*default)),
            InputType::Text { default, .. }
            | InputType::Choice { default, .. }
            | InputType::Colour { default } => Some(Value::from(*default)),
            InputType::Bool { default } => Some(Value::from(*default)),
            InputType::Curve { default } => {
                let point = |it: &[f32; 2]| Value::from(it.map(plain_f64).to_vec());
                Some(default.iter().map(point).collect())
            }
            InputType::Shots => Some(Value::Array(Vec::new())),
            InputType::Socket(_) | InputType::Model { .. } | InputType::File { .. } => None,
        }
    }
}

/// The number with the same short digits: 0.1, not 0.10000000149.
fn plain_f64(number: f32) -> f64 {
    number.to_string().parse().unwrap_or(f64::from(number))
}

/// Knows every node class.
pub trait Catalog {
    /// The declaration of a class, or `None` when this program does not know it.
    fn declaration(&self, class: &str) -> Option<&'static Declaration>;
    /// All classes, sorted by name.
    fn classes(&self) -> Vec<&'static str>;
}
