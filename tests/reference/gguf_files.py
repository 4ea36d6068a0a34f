"""GGUF files and what they hold (engine/models/tests/gguf.rs), by llama.cpp's `gguf` package.

Writes tests/data/gguf/:

  types.gguf               one small matrix of every block type, random bits
  types.safetensors        the same widened by `gguf.quants.dequantize`
  umt5-small.gguf          the encoder of umt5.py in llama.cpp's names, Q8_0 and F32, with its
                           tokenizer as metadata, as llama.cpp's T5 conversion writes them
  umt5-small.safetensors   `<case>.ids`, `<case>.out`: transformers' hidden states with the widened weights

Run after umt5.py: /opt/ref/bin/python tests/reference/gguf_files.py   (pip install gguf)
"""

import pathlib

import gguf
import numpy as np
import torch
from gguf import GGMLQuantizationType as Q
from safetensors import safe_open
from safetensors.numpy import save_file
from sentencepiece import sentencepiece_model_pb2 as spm
from transformers import UMT5Config, UMT5EncoderModel

DATA = pathlib.Path(__file__).resolve().parents[1] / "data"
OUT = DATA / "gguf"

# Where the half-precision scales stand in a block: random bits there would be huge or NaN.
SCALES = {Q.Q4_0: [0], Q.Q4_1: [0, 2], Q.Q5_0: [0], Q.Q5_1: [0, 2], Q.Q8_0: [0], Q.Q2_K: [80, 82],
          Q.Q3_K: [108], Q.Q4_K: [0, 2], Q.Q5_K: [0, 2], Q.Q6_K: [208]}

NAMES = {
    "shared": "token_embd", "encoder.final_layer_norm": "enc.output_norm", "encoder.block": "enc.blk",
    "layer.0.SelfAttention.relative_attention_bias": "attn_rel_b", "layer.0.SelfAttention.": "attn_",
    "layer.0.layer_norm": "attn_norm", "layer.1.layer_norm": "ffn_norm",
    "layer.1.DenseReluDense.wi_0": "ffn_gate", "layer.1.DenseReluDense.wi_1": "ffn_up",
    "layer.1.DenseReluDense.wo": "ffn_down",
}


def types():
    rng = np.random.default_rng(4)
    writer = gguf.GGUFWriter(OUT / "types.gguf", "test")
    wide = {}
    for kind, places in SCALES.items():
        length, size = gguf.GGML_QUANT_SIZES[kind]
        blocks = rng.integers(0, 256, (3 * 512 // length, size), dtype=np.uint8)
        for place in places:
            scale = rng.normal(0, 0.01, len(blocks)).astype(np.float16)
            blocks[:, place:place + 2] = scale.view(np.uint8).reshape(-1, 2)
        data = blocks.reshape(3, -1)
        writer.add_tensor(kind.name, data, raw_dtype=kind)
        wide[kind.name] = gguf.quants.dequantize(data, kind).astype(np.float32)
    values = rng.normal(0, 1, (3, 8)).astype(np.float32)
    writer.add_tensor("F16", values.astype(np.float16))
    wide["F16"] = values.astype(np.float16).astype(np.float32)
    writer.add_tensor("BF16", gguf.quants.quantize(values, Q.BF16), raw_dtype=Q.BF16)
    wide["BF16"] = torch.tensor(values).bfloat16().float().numpy()
    close(writer)
    save_file(wide, OUT / "types.safetensors")


def close(writer):
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def tokenizer(writer, proto, vocab):
    model = spm.ModelProto.FromString(proto)
    tokens = [f"[PAD{i}]" for i in range(vocab)]
    scores, kinds = [-1000.0] * vocab, [5] * vocab
    for i, piece in enumerate(model.pieces):
        tokens[i], scores[i], kinds[i] = piece.piece, piece.score, piece.type
    writer.add_tokenizer_model("t5")
    writer.add_tokenizer_pre("default")
    writer.add_token_list(tokens)
    writer.add_token_scores(scores)
    writer.add_token_types(kinds)
    writer.add_add_space_prefix(model.normalizer_spec.add_dummy_prefix)
    writer.add_remove_extra_whitespaces(model.normalizer_spec.remove_extra_whitespaces)
    writer.add_precompiled_charsmap(model.normalizer_spec.precompiled_charsmap)
    writer.add_eos_token_id(1)


def umt5():
    writer = gguf.GGUFWriter(OUT / "umt5-small.gguf", "t5encoder")
    state = {}
    with safe_open(DATA / "umt5" / "umt5-small.safetensors", "np") as file:
        for name in file.keys():
            data = file.get_tensor(name)
            if name == "spiece_model":
                proto = data.tobytes()
                continue
            other = name
            for theirs, ours in NAMES.items():
                other = other.replace(theirs, ours)
            data = data.astype(np.float32)
            kind = Q.Q8_0 if data.ndim == 2 and "rel_b" not in other else Q.F32
            packed = gguf.quants.quantize(data, kind)
            writer.add_tensor(other, packed, raw_dtype=kind)
            state[name] = torch.tensor(gguf.quants.dequantize(packed, kind))
    vocab = state["shared.weight"].shape[0]
    tokenizer(writer, proto, vocab)
    close(writer)
    config = UMT5Config(vocab_size=vocab, d_model=64, d_kv=16, d_ff=128, num_layers=2, num_heads=4,
                        feed_forward_proj="gated-gelu", dropout_rate=0.0)
    config._attn_implementation = "eager"
    model = UMT5EncoderModel(config).eval()
    state.setdefault("encoder.embed_tokens.weight", state["shared.weight"])
    missing, extra = model.load_state_dict(state, strict=False)
    assert not extra and not missing, (missing, extra)
    goldens = {}
    with safe_open(DATA / "umt5" / "goldens.safetensors", "pt") as file, torch.no_grad():
        for case in ("english", "japanese"):
            ids = file.get_tensor(f"{case}.ids")
            out = model(input_ids=ids.reshape(1, -1).long()).last_hidden_state[0]
            goldens[f"{case}.ids"] = ids.numpy()
            goldens[f"{case}.out"] = out.numpy()
    save_file(goldens, OUT / "umt5-small.safetensors")


if __name__ == "__main__":
    OUT.mkdir(exist_ok=True)
    types()
    umt5()
