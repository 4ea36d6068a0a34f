"""Writes random checkpoints of Wan 2.1 1.3B's real sizes, as ComfyUI lays them out.

The diffusion model and the VAE have every tensor of the published files. The text encoder has UMT5-XXL's widths
but few layers and a small vocabulary: the published one takes 11 GB, and memory is checked model by model.
Usage: wan13b.py MODELS_DIR
"""

import sys
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save_file

rng = torch.Generator().manual_seed(13)


def tensor(*shape, scale=None):
    fan_in = int(np.prod(shape[1:])) if len(shape) > 1 else 1
    scale = fan_in**-0.5 if scale is None else scale
    return (torch.randn(shape, generator=rng) * scale).to(torch.float16)


def linear(out, name, rows, columns):
    out[f"{name}.weight"] = tensor(rows, columns)
    out[f"{name}.bias"] = tensor(rows, scale=0.01)


def dit(path, d=1536, ffn=8960, layers=30, text=4096, channels=16):
    out = {"patch_embedding.weight": tensor(d, channels, 1, 2, 2), "patch_embedding.bias": tensor(d, scale=0.01)}
    linear(out, "text_embedding.0", d, text)
    linear(out, "text_embedding.2", d, d)
    linear(out, "time_embedding.0", d, 256)
    linear(out, "time_embedding.2", d, d)
    linear(out, "time_projection.1", 6 * d, d)
    for n in range(layers):
        block = f"blocks.{n}"
        out[f"{block}.modulation"] = tensor(1, 6, d, scale=0.02)
        for attention in ("self_attn", "cross_attn"):
            for part in "qkvo":
                linear(out, f"{block}.{attention}.{part}", d, d)
            for part in "qk":
                out[f"{block}.{attention}.norm_{part}.weight"] = torch.ones(d, dtype=torch.float16)
        out[f"{block}.norm3.weight"] = torch.ones(d, dtype=torch.float16)
        out[f"{block}.norm3.bias"] = torch.zeros(d, dtype=torch.float16)
        linear(out, f"{block}.ffn.0", ffn, d)
        linear(out, f"{block}.ffn.2", d, ffn)
    out["head.modulation"] = tensor(1, 2, d, scale=0.02)
    linear(out, "head.head", 4 * channels, d)
    save_file(out, path)


def vae(path):
    from diffusers import AutoencoderKLWan

    torch.manual_seed(13)
    folder = path.with_suffix("")
    AutoencoderKLWan().to(torch.float16).save_pretrained(folder)


def umt5(path, spiece, d=4096, ffn=10240, layers=2, vocab=None):
    import sentencepiece

    vocab = sentencepiece.SentencePieceProcessor(model_proto=spiece).vocab_size()
    out = {"shared.weight": tensor(vocab, d, scale=1.0), "encoder.final_layer_norm.weight": torch.ones(d)}
    for n in range(layers):
        attention, feed = f"encoder.block.{n}.layer.0", f"encoder.block.{n}.layer.1"
        for part in "qkvo":
            out[f"{attention}.SelfAttention.{part}.weight"] = tensor(d, d, scale=0.02)
        out[f"{attention}.SelfAttention.relative_attention_bias.weight"] = tensor(32, 64, scale=0.1)
        out[f"{attention}.layer_norm.weight"] = torch.ones(d)
        for part in ("wi_0", "wi_1"):
            out[f"{feed}.DenseReluDense.{part}.weight"] = tensor(ffn, d)
        out[f"{feed}.DenseReluDense.wo.weight"] = tensor(d, ffn)
        out[f"{feed}.layer_norm.weight"] = torch.ones(d)
    out["spiece_model"] = torch.frombuffer(bytearray(spiece), dtype=torch.uint8)
    save_file(out, path)


def main():
    models = Path(sys.argv[1])
    for folder in ("diffusion_models", "vae", "text_encoders"):
        (models / folder).mkdir(parents=True, exist_ok=True)
    target = models / "diffusion_models/wan2.1_t2v_1.3B_fp16.safetensors"
    if not target.exists():
        dit(target)
    if not (models / "vae/wan_2.1_vae").exists():
        vae(models / "vae/wan_2.1_vae.safetensors")
    target = models / "text_encoders/umt5_xxl_fp16.safetensors"
    if not target.exists():
        from safetensors import safe_open

        tiny = next((Path(__file__).parents[2] / "tests/data/wan-tiny/models/text_encoders").glob("*.safetensors"))
        with safe_open(tiny, "pt") as file:
            umt5(target, bytes(file.get_tensor("spiece_model").numpy()))


main()
