"""Golden files for the Wan DiT: diffusers' WanTransformer3DModel in float32.

Run from the repository root:  /opt/ref/bin/python tests/reference/wan_dit.py
Writes tests/data/dit/. Two random models, no published weights:

* tiny: 2 heads of 24, 3 layers. Twice, with the same numbers: `tiny_diffusers/` (diffusers folder,
  float32, heads in config.json) and `tiny_original_bf16.safetensors` (original names below
  `model.diffusion_model.`, bfloat16, heads in the metadata entry `longtake.heads`).
* wide: one head of 128, 1 layer, original names without prefix or metadata, bfloat16: what a
  downloaded file looks like, and the head size every real model has.

Weights are rounded so that float32, float16 and bfloat16 all hold them exactly; the layouts and
types then have to agree to the last bit, and no rounding hides in the tolerance.
"""

import json
import re
from pathlib import Path

import torch
from diffusers import WanTransformer3DModel
from safetensors.torch import save_file

OUT = Path(__file__).resolve().parents[1] / "data" / "dit"

TINY = dict(num_attention_heads=2, attention_head_dim=24, num_layers=3, ffn_dim=96, text_dim=32,
            in_channels=16, out_channels=16, freq_dim=256)
WIDE = dict(num_attention_heads=1, attention_head_dim=128, num_layers=1, ffn_dim=160, text_dim=32,
            in_channels=16, out_channels=16, freq_dim=256)

# diffusers name -> original name. norm2 and norm3 trade places: only diffusers' norm2, the one
# in front of the cross-attention, has weights.
RENAMES = [
    (r"^condition_embedder\.text_embedder\.linear_1\.", "text_embedding.0."),
    (r"^condition_embedder\.text_embedder\.linear_2\.", "text_embedding.2."),
    (r"^condition_embedder\.time_embedder\.linear_1\.", "time_embedding.0."),
    (r"^condition_embedder\.time_embedder\.linear_2\.", "time_embedding.2."),
    (r"^condition_embedder\.time_proj\.", "time_projection.1."),
    (r"^scale_shift_table$", "head.modulation"),
    (r"^proj_out\.", "head.head."),
    (r"\.scale_shift_table$", ".modulation"),
    (r"\.attn2\.add_([kv])_proj\.", r".cross_attn.\1_img."),
    (r"\.attn2\.norm_added_k\.", ".cross_attn.norm_k_img."),
    (r"^condition_embedder\.image_embedder\.norm1\.", "img_emb.proj.0."),
    (r"^condition_embedder\.image_embedder\.ff\.net\.0\.proj\.", "img_emb.proj.1."),
    (r"^condition_embedder\.image_embedder\.ff\.net\.2\.", "img_emb.proj.3."),
    (r"^condition_embedder\.image_embedder\.norm2\.", "img_emb.proj.4."),
    (r"^condition_embedder\.image_embedder\.pos_embed$", "img_emb.emb_pos"),
    (r"\.attn1\.", ".self_attn."),
    (r"\.attn2\.", ".cross_attn."),
    (r"\.to_([qkv])\.", r".\1."),
    (r"\.to_out\.0\.", ".o."),
    (r"\.norm2\.", ".norm3."),
    (r"\.ffn\.net\.0\.proj\.", ".ffn.0."),
    (r"\.ffn\.net\.2\.", ".ffn.2."),
]


def original_name(name):
    for pattern, new in RENAMES:
        name = re.sub(pattern, new, name)
    return name


def random_model(config, seed):
    """A model whose every weight matters: biases and norms are random too."""
    model = WanTransformer3DModel(**config).eval()
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            values = torch.randn(parameter.shape, generator=generator)
            if ".norm" in name and name.endswith("weight"):
                values = 1 + 0.2 * values
            elif "scale_shift_table" in name or name.endswith("bias"):
                values = 0.3 * values
            else:
                values = values / parameter[0].numel() ** 0.5
            parameter.copy_(values.half().bfloat16().float())
    return model


@torch.no_grad()
def forward(model, latent, timestep, context):
    """One call as ComfyUI makes it: odd sides padded (circular) to even ones, then cropped."""
    h, w = latent.shape[-2:]
    padded = torch.nn.functional.pad(latent, (0, w % 2, 0, h % 2, 0, 0), mode="circular")
    rows = torch.zeros(context.shape[0], max(512, context.shape[1]), context.shape[2])
    rows[:, : context.shape[1]] = context
    return model(padded, timestep, rows, return_dict=False)[0][..., :h, :w].contiguous()


def case(model, seed, latent_shape, timesteps, tokens):
    """Inputs and output of one forward pass."""
    generator = torch.Generator().manual_seed(seed)
    latent = torch.randn(latent_shape, generator=generator)
    timestep = torch.tensor(timesteps, dtype=torch.float32)
    context = torch.randn(latent_shape[0], tokens, model.config.text_dim, generator=generator)
    return dict(latent=latent, timestep=timestep, context=context,
                output=forward(model, latent, timestep, context))


def pattern(shape):
    """Numbers the Rust test makes for itself, so that a long input needs no file."""
    index = torch.arange(torch.Size(shape).numel())
    return ((index * 7919 % 1000).float() / 500 - 1).reshape(shape)


def many_tokens(model):
    """1125 tokens, more than the feed-forward takes at once; every 37th number of the output."""
    output = forward(model, pattern((1, 16, 5, 30, 30)), torch.tensor([250.0]), pattern((1, 20, model.config.text_dim)))
    return dict(output=output.flatten()[::37].contiguous())


def named(prefix, tensors):
    return {f"{prefix}.{name}": tensor for name, tensor in tensors.items()}


def main():
    torch.set_num_threads(1)
    tiny, wide = random_model(TINY, 11), random_model(WIDE, 12)

    folder = OUT / "tiny_diffusers"
    folder.mkdir(parents=True, exist_ok=True)
    state = {name: tensor.contiguous() for name, tensor in tiny.state_dict().items()}
    save_file(state, folder / "diffusion_pytorch_model.safetensors", metadata={"format": "pt"})
    (folder / "config.json").write_text(
        json.dumps({"_class_name": "WanTransformer3DModel", "patch_size": [1, 2, 2]} | TINY, indent=2) + "\n")

    renamed = {f"model.diffusion_model.{original_name(name)}": tensor.bfloat16() for name, tensor in state.items()}
    save_file(renamed, OUT / "tiny_original_bf16.safetensors", metadata={"longtake.heads": "2"})
    save_file({original_name(name): tensor.bfloat16().contiguous() for name, tensor in wide.state_dict().items()},
              OUT / "wide_original_bf16.safetensors")

    cases = {}
    cases |= named("even", case(tiny, 21, (2, 16, 3, 6, 8), [987.5, 312.25], 40))
    cases |= named("held_out", case(tiny, 22, (1, 16, 2, 10, 6), [41.0], 512))
    cases |= named("odd", case(tiny, 23, (1, 16, 2, 5, 7), [640.125], 9))
    cases |= named("long_text", case(tiny, 24, (1, 16, 1, 4, 4), [500.0], 530))
    cases |= named("many_tokens", many_tokens(tiny))
    save_file(cases, OUT / "tiny_cases.safetensors")
    save_file(named("even", case(wide, 31, (1, 16, 2, 6, 10), [750.0], 30))
              | named("held_out", case(wide, 32, (2, 16, 3, 4, 14), [3.5, 999.0], 12)),
              OUT / "wide_cases.safetensors")

    for path in sorted(OUT.rglob("*.*")):
        print(f"{path.stat().st_size:>9}  {path.relative_to(OUT)}")


if __name__ == "__main__":
    main()
