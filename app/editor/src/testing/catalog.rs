//! A few node classes: some of ComfyUI's, and `Everything`, which has one parameter of each kind.

use longtake_graph::declare::{
    FileKind, boolean, choice, colour, curve, float, input_file, int, model_file, output, seed,
    shots, socket, text, text_area,
};
use longtake_graph::{Catalog, Declaration, Kind, ModelFolder};

/// The catalog.
pub struct Classes;

static ALL: [Declaration; 13] = [
    Declaration {
        class: "CLIPLoader",
        title: "Load CLIP",
        title_ja: "CLIPを読み込む",
        category: "loaders",
        category_ja: "読み込み",
        help: "Loads a text encoder.",
        help_ja: "テキストエンコーダーを読み込みます。",
        inputs: &[model_file("clip_name", ModelFolder::TextEncoders).help("The file.", "ファイル")],
        outputs: &[output("CLIP", Kind::CLIP)],
        ..Declaration::EMPTY
    },
    Declaration {
        class: "CLIPTextEncode",
        title: "CLIP text encode (prompt)",
        title_ja: "テキストをエンコード",
        category: "conditioning",
        category_ja: "コンディショニング",
        help: "Encodes a text.",
        help_ja: "テキストをエンコードします。",
        inputs: &[
            text_area("text", "").help("What to see.", "映したいもの"),
            socket("clip", Kind::CLIP),
        ],
        outputs: &[output("CONDITIONING", Kind::CONDITIONING)],
        ..Declaration::EMPTY
    },
    Declaration {
        class: "EmptyLatent",
        title: "Empty latent video",
        title_ja: "空の潜在動画",
        category: "latent",
        category_ja: "潜在表現",
        help: "A latent of zeros.",
        help_ja: "すべて 0 の潜在表現です。",
        inputs: &[
            int("width", 832).within(16, 16384).step(16).unit("px"),
            int("height", 480).within(16, 16384).step(16).unit("px"),
            int("length", 81).within(1, 16384).step(4).unit("frames"),
            int("batch_size", 1).within(1, 4096),
        ],
        outputs: &[output("LATENT", Kind::LATENT)],
        ..Declaration::EMPTY
    },
    Declaration {
        class: "Everything",
        title: "Everything",
        title_ja: "すべて",
        category: "test",
        category_ja: "テスト",
        help: "One parameter of each kind.",
        help_ja: "パラメーターを 1 種類ずつ持ちます。",
        inputs: &[
            int("count", 3)
                .within(0, 100)
                .unit("px")
                .help("How many.", "個数"),
            float("strength", 0.5)
                .within_f(0.0, 1.0)
                .help("How much.", "強さ"),
            seed("seed"),
            text("name", "shot"),
            text_area("text", "two\nlines"),
            boolean("loop", false),
            choice(
                "mode",
                "b",
                &["a", "b", "c", "d", "e", "f", "g", "h", "i", "j"],
            ),
            model_file("model", ModelFolder::DiffusionModels),
            input_file("image", FileKind::Image),
            colour("colour", "#ff8000"),
            curve("curve", &[[0.0, 0.0], [0.5, 0.75], [1.0, 1.0]]),
            shots("shots"),
            socket("images", Kind::IMAGE).optional(),
        ],
        outputs: &[output("IMAGE", Kind::IMAGE), output("MASK", Kind::MASK)],
        ..Declaration::EMPTY
    },
    Declaration {
        class: "ImageScale",
        title: "Upscale image",
        title_ja: "画像を拡大",
        category: "image",
        category_ja: "画像",
        help: "Scales frames.",
        help_ja: "フレームを拡大縮小します。",
        inputs: &[
            socket("image", Kind::IMAGE),
            choice(
                "upscale_method",
                "bicubic",
                &["nearest-exact", "bilinear", "bicubic"],
            ),
            int("width", 512).within(0, 16384).unit("px"),
            int("height", 512).within(0, 16384).unit("px"),
            choice("crop", "disabled", &["disabled", "center"]),
        ],
        outputs: &[output("IMAGE", Kind::IMAGE)],
        ..Declaration::EMPTY
    },
    Declaration {
        class: "KSampler",
        title: "KSampler",
        title_ja: "Kサンプラー",
        category: "sampling",
        category_ja: "サンプリング",
        help: "Denoises a latent.",
        help_ja: "潜在表現をデノイズします。",
        inputs: &[
            socket("model", Kind::MODEL),
            seed("seed"),
            int("steps", 20).within(1, 10000),
            float("cfg", 8.0).within_f(0.0, 100.0).step_f(0.1),
            choice(
                "sampler_name",
                "euler",
                &["euler", "heun", "uni_pc", "dpmpp_2m"],
            ),
            choice(
                "scheduler",
                "normal",
                &["normal", "karras", "simple", "beta"],
            ),
            socket("positive", Kind::CONDITIONING),
            socket("negative", Kind::CONDITIONING),
            socket("latent_image", Kind::LATENT),
            float("denoise", 1.0).within_f(0.0, 1.0),
        ],
        outputs: &[output("LATENT", Kind::LATENT)],
        ..Declaration::EMPTY
    },
    Declaration {
        class: "LoadImage",
        title: "Load image",
        title_ja: "画像を読み込む",
        category: "image",
        category_ja: "画像",
        help: "Reads a picture.",
        help_ja: "画像を読み込みます。",
        inputs: &[input_file("image", FileKind::Image)],
        outputs: &[output("IMAGE", Kind::IMAGE), output("MASK", Kind::MASK)],
        ..Declaration::EMPTY
    },
    Declaration {
        class: "PreviewImage",
        title: "Preview image",
        title_ja: "画像をプレビュー",
        category: "image",
        category_ja: "画像",
        help: "Shows frames.",
        help_ja: "フレームを表示します。",
        inputs: &[socket("images", Kind::IMAGE)],
        output_node: true,
        ..Declaration::EMPTY
    },
    Declaration {
        class: "PrimitiveInt",
        title: "Int",
        title_ja: "整数",
        category: "utils",
        category_ja: "ユーティリティ",
        help: "A whole number.",
        help_ja: "整数です。",
        inputs: &[int("value", 0).within(i64::MIN as i128, i64::MAX as i128)],
        outputs: &[output("INT", Kind::INT)],
        ..Declaration::EMPTY
    },
    Declaration {
        class: "SaveVideo",
        title: "Save video",
        title_ja: "動画を保存",
        category: "video",
        category_ja: "動画",
        help: "Writes a film.",
        help_ja: "映像を書き出します。",
        inputs: &[
            socket("images", Kind::IMAGE),
            text("filename_prefix", "video/ComfyUI"),
            choice("format", "mp4", &["mp4", "mkv", "webm"]),
        ],
        output_node: true,
        ..Declaration::EMPTY
    },
    Declaration {
        class: "UNETLoader",
        title: "Load diffusion model",
        title_ja: "拡散モデルを読み込む",
        category: "loaders",
        category_ja: "読み込み",
        help: "Loads a model.",
        help_ja: "モデルを読み込みます。",
        inputs: &[
            model_file("unet_name", ModelFolder::DiffusionModels),
            choice("weight_dtype", "default", &["default", "fp8_e4m3fn"]),
        ],
        outputs: &[output("MODEL", Kind::MODEL)],
        ..Declaration::EMPTY
    },
    Declaration {
        class: "VAEDecode",
        title: "VAE decode",
        title_ja: "VAEデコード",
        category: "latent",
        category_ja: "潜在表現",
        help: "Makes frames of a latent.",
        help_ja: "潜在表現をフレームにします。",
        inputs: &[
            socket("samples", Kind::LATENT),
            socket("vae", Kind::VAE).optional(),
        ],
        outputs: &[output("IMAGE", Kind::IMAGE)],
        ..Declaration::EMPTY
    },
    Declaration {
        class: "VAELoader",
        title: "Load VAE",
        title_ja: "VAEを読み込む",
        category: "loaders",
        category_ja: "読み込み",
        help: "Loads a VAE.",
        help_ja: "VAE を読み込みます。",
        inputs: &[model_file("vae_name", ModelFolder::Vae)],
        outputs: &[output("VAE", Kind::VAE)],
        ..Declaration::EMPTY
    },
];

impl Catalog for Classes {
    fn declaration(&self, class: &str) -> Option<&'static Declaration> {
        ALL.iter().find(|it| it.class == class)
    }

    fn classes(&self) -> Vec<&'static str> {
        ALL.iter().map(|it| it.class).collect()
    }
}
