"""Goldens for the Wan VAEs: `AutoencoderKLWan` of diffusers with small random weights.

    /opt/ref/bin/python tests/reference/wan_vae.py      # rewrites tests/data/vae/ (2.1)
    /opt/ref/bin/python tests/reference/wan_vae.py 22   # rewrites tests/data/vae22/ (2.2)

Writes, with torch on CPU in f32:
- `original.safetensors`: the weights under the names of Wan's own repository (and ComfyUI), f32
  (2.2: bf16);
- `diffusers/{config.json, diffusion_pytorch_model.safetensors}`: the same weights as diffusers
  saves them, bf16. The values are exact in bf16, so both files hold the same model;
- `goldens.safetensors`: `latent` (raw), `frames.F` the decoding of its first F latent frames
  (clamped to -1..1), `video` and `mu.T` the encoding of its first T frames. 2.1: latent
  [1,z,4,3,5], F in 1, 2, 4, T in 1, 5, 9, 13; 2.2: latent [1,z,3,2,3], F in 1, 2, 3, T in 1, 5, 9.
"""

import pathlib
import re
import sys

import torch
from diffusers import AutoencoderKLWan
from safetensors.torch import save_file

DATA = pathlib.Path(__file__).resolve().parents[1] / "data"
DIM, Z = 4, 4
BLOCKS = 2  # residual blocks a level; the decoder has one more


def original_name(name: str, nested: bool = False) -> str:
    """Wan's own name of a parameter that diffusers calls `name`; 2.2 has names for its levels."""
    part = {"norm1.gamma": "residual.0.gamma", "norm2.gamma": "residual.3.gamma", "conv1": "residual.2",
            "conv2": "residual.6", "conv_shortcut": "shortcut"}

    def inner(text: str) -> str:
        for ours, theirs in part.items():
            text = re.sub(rf"\.{re.escape(ours)}(?=\.|$)", f".{theirs}", text)
        return text

    if name.startswith("quant_conv."):
        return name.replace("quant_conv", "conv1")
    if name.startswith("post_quant_conv."):
        return name.replace("post_quant_conv", "conv2")
    side, rest = name.split(".", 1)
    if m := re.match(r"conv_in\.(.*)", rest):
        return f"{side}.conv1.{m[1]}"
    if m := re.match(r"conv_out\.(.*)", rest):
        return f"{side}.head.2.{m[1]}"
    if rest == "norm_out.gamma":
        return f"{side}.head.0.gamma"
    if m := re.match(r"mid_block\.resnets\.(\d)(\..*)", rest):
        return f"{side}.middle.{2 * int(m[1])}{inner(m[2])}"
    if m := re.match(r"mid_block\.attentions\.0\.(.*)", rest):
        return f"{side}.middle.1.{m[1]}"
    if m := re.match(r"(down|up)_blocks\.(\d)\.resnets\.(\d)(\..*)", rest):
        if m[1] == "down" or nested:
            level = f"{m[1]}samples"
            return f"{side}.{level}.{m[2]}.{level}.{m[3]}{inner(m[4])}"
    if m := re.match(r"(down|up)_blocks\.(\d)\.(?:down|up)sampler\.(.*)", rest):
        level = f"{m[1]}samples"
        return f"{side}.{level}.{m[2]}.{level}.{BLOCKS + (m[1] == 'up')}.{m[3]}"
    if m := re.match(r"down_blocks\.(\d+)(\..*)", rest):
        return f"{side}.downsamples.{m[1]}{inner(m[2])}"
    if m := re.match(r"up_blocks\.(\d)\.resnets\.(\d)(\..*)", rest):
        return f"{side}.upsamples.{(BLOCKS + 2) * int(m[1]) + int(m[2])}{inner(m[3])}"
    if m := re.match(r"up_blocks\.(\d)\.upsamplers\.0\.(.*)", rest):
        return f"{side}.upsamples.{(BLOCKS + 2) * int(m[1]) + BLOCKS + 1}.{m[2]}"
    raise ValueError(f"no original name for {name}")


def randomise(vae: AutoencoderKLWan) -> None:
    """Weights that keep activations of order one and decoded frames well inside -1..1."""
    with torch.no_grad():
        for name, p in vae.named_parameters():
            if name.endswith("gamma"):
                p.copy_(1.0 + 0.2 * torch.randn_like(p))
            elif name.endswith("bias"):
                p.copy_(0.1 * torch.randn_like(p))
            else:
                p.copy_(torch.randn_like(p) / (p[0].numel() ** 0.5))
        vae.decoder.conv_out.weight.mul_(0.35)
        for p in vae.parameters():
            p.copy_(p.bfloat16().float())


@torch.no_grad()
def main() -> None:
    wan22 = sys.argv[1:] == ["22"]
    torch.manual_seed(20)
    torch.set_num_threads(1)
    stats = dict(latents_mean=[0.0] * Z, latents_std=[1.0] * Z)
    if wan22:
        out = DATA / "vae22"
        vae = AutoencoderKLWan(base_dim=2, decoder_base_dim=4, z_dim=Z, num_res_blocks=BLOCKS, is_residual=True, patch_size=2,
                               in_channels=12, out_channels=12, scale_factor_spatial=16, **stats)
        decoded, encoded = (1, 2, 3), (1, 5, 9)
        shape, (frames, height, width) = (1, Z, 3, 2, 3), (9, 32, 48)
    else:
        out = DATA / "vae"
        vae = AutoencoderKLWan(base_dim=DIM, z_dim=Z, num_res_blocks=BLOCKS, **stats)
        decoded, encoded = (1, 2, 4), (1, 5, 9, 13)
        shape, (frames, height, width) = (1, Z, 4, 3, 5), (13, 24, 40)
    randomise(vae)
    vae.eval()
    vae.disable_tiling()
    vae.disable_slicing()
    assert not vae.use_tiling

    latent = torch.randn(shape)
    # Smooth in space and time plus a little noise, like film rather than static.
    axes = [torch.arange(float(n)) for n in (frames, height, width)]
    t, y, x = torch.meshgrid(*axes, indexing="ij")
    video = torch.stack([torch.sin(0.21 * x + 0.5 * t), torch.cos(0.3 * y - 0.4 * t), torch.sin(0.1 * x * y / 9 + t)])
    video = (0.8 * video + 0.1 * torch.randn_like(video)).clamp(-1, 1)[None]

    goldens = {"latent": latent, "video": video}
    for n in decoded:
        goldens[f"frames.{n}"] = vae.decode(latent[:, :, :n]).sample
    for n in encoded:
        goldens[f"mu.{n}"] = vae.encode(video[:, :, :n]).latent_dist.mean
    for name, value in goldens.items():
        share = (value.abs() >= 1).float().mean().item()
        print(f"{name:10} {list(value.shape)} std {value.std():.3f} max {value.abs().max():.3f} clamped {share:.4f}")
        if name.startswith("frames"):
            assert share < 0.02, "the clamp hides errors: lower the scale of conv_out"

    out.mkdir(parents=True, exist_ok=True)
    save_file({k: v.contiguous() for k, v in goldens.items()}, out / "goldens.safetensors")
    dtype = torch.bfloat16 if wan22 else torch.float32
    weights = {original_name(k, wan22): v.to(dtype).contiguous() for k, v in vae.state_dict().items()}
    save_file(weights, out / "original.safetensors")
    vae.to(torch.bfloat16).save_pretrained(out / "diffusers")
    print(sum(f.stat().st_size for f in out.rglob("*") if f.is_file()), "bytes")


main()
