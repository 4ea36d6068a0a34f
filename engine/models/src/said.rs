//! Tests: every error of this crate says as much in Japanese as in English.

use std::io;
use std::path::PathBuf;

use longtake_sentence::{Sentence, say};

use crate::clip::{ClipDims, ClipError};
use crate::device::DeviceError;
use crate::lora::{Half, LoraError};
use crate::tokenizer::TokenizerError;
use crate::umt5::Umt5Error;
use crate::wan::dit::ForwardError;
use crate::wan::uni3c::Uni3cDims;
use crate::wan::vae::latent_stats::LatentLength;
use crate::wan::vae::{TileOrder, VaeError};
use crate::weights::{Action, Clash, Family, FamilyKind, Umt5Dims, WanDims, WeightsError};

#[track_caller]
fn all_said(said: impl IntoIterator<Item = (String, Sentence)>) {
    for (shown, sentence) in said {
        assert_eq!(sentence.lacks(), None);
        assert_eq!(shown, sentence.en);
    }
}

macro_rules! check {
    ($($error:expr),+ $(,)?) => {
        all_said([$({
            let error = $error;
            (error.to_string(), error.sentence())
        }),+])
    };
}

fn file() -> PathBuf {
    "models/vae 2.1.safetensors".into()
}

fn gone() -> io::Error {
    io::ErrorKind::NotFound.into()
}

fn clash() -> Box<Clash> {
    Box::new(Clash {
        expected: say!("at most 8 axes", "8 以下の軸"),
        found: Sentence::same(9),
        remedy: say!("fetch it again", "もう一度入手してください"),
    })
}

fn weights() -> WeightsError {
    WeightsError::Missing {
        file: file(),
        tensor: "blocks.3.q".into(),
        near: vec!["blocks.3.k".into(), "blocks.3.v".into()],
    }
}

#[test]
fn errors_of_weights() {
    let tensor = || "blocks.3.q".to_owned();
    for action in [Action::Open, Action::Read, Action::List, Action::Map] {
        check!(WeightsError::Io {
            file: file(),
            action,
            source: gone()
        });
    }
    check!(
        WeightsError::NotAFile { file: file() },
        WeightsError::Malformed {
            file: file(),
            byte: 17,
            clash: clash()
        },
        WeightsError::BadTensor {
            file: file(),
            tensor: tensor(),
            clash: clash()
        },
        weights(),
        WeightsError::Missing {
            file: file(),
            tensor: tensor(),
            near: Vec::new()
        },
        WeightsError::NotInShards {
            folder: file(),
            tensor: tensor()
        },
        WeightsError::Shape {
            file: file(),
            tensor: tensor(),
            expected: vec![2, 3],
            found: vec![4]
        },
        WeightsError::Dtype {
            file: file(),
            tensor: tensor(),
            found: "I32"
        },
        WeightsError::Duplicate {
            file: file(),
            tensor: tensor(),
            other: "q.3".into(),
            other_file: "b.safetensors".into()
        },
        WeightsError::Folder {
            folder: file(),
            clash: clash()
        },
        WeightsError::WrongFamily {
            file: file(),
            expected: FamilyKind::WanVae.sentence(),
            found: Family::Lora.sentence()
        },
    );
}

#[test]
fn names_of_families() {
    let wan = WanDims {
        d: 5120,
        ffn: 13824,
        heads: 40,
        layers: 40,
        in_dim: 36,
        out_dim: 16,
        text_dim: 4096,
        i2v: true,
        image_dim: 1280,
        image_positions: 0,
        pose_dim: 0,
        mask_dim: 0,
    };
    check!(
        Family::WanDit(wan),
        Family::WanDit(WanDims { i2v: false, ..wan }),
        Family::WanVae21 {
            latent_channels: 16,
            dim: 96
        },
        Family::WanVae22 {
            latent_channels: 48,
            dim: 160,
            decoder_dim: 256
        },
        Family::Umt5(Umt5Dims {
            vocab: 256_384,
            d: 4096,
            d_ff: 10_240,
            heads: 64,
            d_kv: 64,
            layers: 24,
            buckets: 32
        }),
        Family::T5,
        Family::ClipVision(ClipDims {
            width: 1280,
            mlp: 5120,
            heads: 16,
            layers: 32,
            patch: 14,
            tokens: 257
        }),
        Family::Uni3c(Uni3cDims {
            in_dim: 36,
            conv_dim: 5120,
            dim: 1024,
            ffn_dim: 4096,
            heads: 16,
            layers: 20,
            time_dim: 5120,
            out_dim: 5120,
            add_dim: 7,
            mid_dim: 256,
        }),
    );
    // A word that is the same in both languages.
    let lora = Family::Lora.sentence();
    assert_eq!((lora.en.as_str(), lora.ja.as_str()), ("a LoRA", "LoRA"));
    for kind in [
        FamilyKind::WanDit,
        FamilyKind::WanVae,
        FamilyKind::Umt5,
        FamilyKind::ClipVision,
        FamilyKind::Uni3c,
    ] {
        check!(kind);
    }
}

#[test]
fn errors_of_loras() {
    check!(
        LoraError::Weights(weights()),
        LoraError::NoLora {
            file: file(),
            found: None
        },
        LoraError::NoLora {
            file: file(),
            found: Some("x.1".into())
        },
        LoraError::NoMatch {
            file: file(),
            base: "base".into(),
            modules: 300,
            first: "blocks_0_q".into(),
            hint: Box::new(say!("It is for Flux", "Flux 用です")),
        },
        LoraError::Shape {
            file: file(),
            module: "blocks_0_q".into(),
            clash: clash()
        },
    );
    for lacks in [Half::Up, Half::Down] {
        check!(LoraError::Incomplete {
            file: file(),
            module: "blocks_0_q".into(),
            lacks
        });
    }
}

#[test]
fn errors_of_text() {
    let reason = || say!("piece 7 is empty", "ピース 7 が空です");
    check!(
        TokenizerError::Io {
            file: file(),
            source: gone()
        },
        TokenizerError::Damaged {
            file: file(),
            reason: reason()
        },
        TokenizerError::Unsupported {
            file: file(),
            reason: reason()
        },
        TokenizerError::Missing {
            file: file(),
            looked: vec!["a".into(), "b/tokenizer".into()]
        },
        TokenizerError::Encode {
            file: file(),
            reason: "no unknown token".into()
        },
    );
    check!(
        Umt5Error::Weights(weights()),
        Umt5Error::Tokenizer(TokenizerError::Io {
            file: file(),
            source: gone()
        }),
        Umt5Error::TokenOutside {
            id: 9999,
            vocab: 100
        },
        Umt5Error::TooLong { tokens: 3000 },
    );
}

#[test]
fn errors_of_networks() {
    check!(
        ClipError::Interrupted,
        ClipError::Weights(weights()),
        ClipError::Pixels {
            side: 224,
            found: [1, 3, 200, 224]
        },
    );
    check!(
        ForwardError::Interrupted,
        ForwardError::Weights(weights()),
        ForwardError::input(
            say!("latent", "潜在表現"),
            Sentence::same("[1, 16]"),
            Sentence::same("[1, 17]"),
        ),
    );
}

#[test]
fn errors_of_vaes() {
    let found = [1, 3, 5, 33, 40];
    check!(
        VaeError::Weights(weights()),
        VaeError::NotAVae {
            missing: "decoder.conv1.weight".into()
        },
        VaeError::Rank {
            name: "conv".into(),
            found: vec![3]
        },
        VaeError::Chain {
            name: "conv".into(),
            expected: 96,
            found: 97
        },
        VaeError::Grid { space: 16, time: 2 },
        VaeError::PartNotLoaded { part: "Encoder" },
        VaeError::LatentShape {
            z: 16,
            spatial: 8,
            found
        },
        VaeError::FrameShape {
            channels: 3,
            spatial: 8,
            found
        },
        VaeError::FrameSizeChanged {
            height: 32,
            width: 40,
            found_height: 33,
            found_width: 41
        },
        VaeError::NoFrames,
        VaeError::Tile {
            tile_px: 100,
            overlap_px: 60
        },
        VaeError::Scratch {
            folder: file(),
            source: gone()
        },
        LatentLength {
            len: 7,
            channels: 16
        },
    );
    for order in [
        TileOrder::FramesAfterLast,
        TileOrder::NoTileLeft,
        TileOrder::OtherFrames,
        TileOrder::TilesMissing,
    ] {
        check!(VaeError::Order(order));
    }
}

#[test]
fn errors_of_devices() {
    check!(
        DeviceError::Unknown("gpu7".into()),
        DeviceError::NotBuilt {
            name: "CUDA",
            feature: "cuda"
        },
        DeviceError::NoDriver {
            name: "Vulkan",
            reason: say!("it lists no device", "デバイスが一つも見つかりません")
        },
        DeviceError::NoSuchIndex { index: 4, count: 2 },
    );
}
