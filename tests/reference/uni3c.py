"""Golden files for Uni3C's control network, restated in PyTorch from its description (no library has it).

Run from the repository root:  /opt/ref/bin/python tests/reference/uni3c.py
Writes tests/data/uni3c/. Meaning after alibaba-damo-academy/Uni3C `src/models/controlnet.py` and ComfyUI
`comfy/ldm/wan/uni3c.py`. Two random models:

* tiny: 2 heads of 16, 3 blocks, with the geometric branch. Twice, with the same numbers: `tiny_authors`
  (names below `controlnet.`, `to_q`, bfloat16) and `tiny_comfy` (bare names, `q`, float16).
* wide: one head of 64, which every real one has, 2 blocks, no geometric branch; as wide as the tiny Wan
  of `wan_e2e.py` (128). Bare names with `to_q`, as the published safetensors file, float16 but for
  the patch embedding in float32.

Weights are rounded so that float32, float16 and bfloat16 all hold them exactly.
"""

from pathlib import Path

import torch
import torch.nn.functional as F
from safetensors.torch import save_file

OUT = Path(__file__).resolve().parents[1] / "data" / "uni3c"
TINY = dict(taken=36, conv=40, dim=32, ffn=48, heads=2, layers=3, time=40, out=56, add=7, mid=16)
WIDE = dict(taken=36, conv=128, dim=64, ffn=96, heads=1, layers=2, time=128, out=128, add=0, mid=0)


def shapes(c):
    """Name and shape of every weight, authors' names."""
    d, out = c["dim"], {}

    def linear(name, to, *of):
        out[f"{name}.weight"], out[f"{name}.bias"] = (to, *of), (to,)

    linear("controlnet_patch_embedding", c["conv"], c["taken"], 1, 2, 2)
    if c["add"]:
        linear("controlnet_mask_embedding.mask_proj.0", c["mid"], c["add"], 4, 8, 8)
        linear("controlnet_mask_embedding.mask_proj.1", c["mid"])
        linear("controlnet_mask_embedding.mask_zero_proj", c["conv"], c["mid"], 1, 2, 2)
    linear("controlnet.proj_in", d, c["conv"])
    for i in range(c["layers"]):
        block = f"controlnet.controlnet_blocks.{i}."
        for norm in ("norm1", "norm2"):
            linear(f"{block}{norm}.linear", 3 * d, c["time"])
            linear(f"{block}{norm}.norm", d)
        for part in ("to_q", "to_k", "to_v", "to_out.0"):
            linear(f"{block}self_attn.{part}", d, d)
        out[f"{block}self_attn.norm_q.weight"] = out[f"{block}self_attn.norm_k.weight"] = (d,)
        linear(f"{block}ffn.0", c["ffn"], d)
        linear(f"{block}ffn.2", d, c["ffn"])
        linear(f"controlnet.proj_out.{i}", c["out"], d)
    return out


def random_weights(config, seed):
    generator, weights = torch.Generator().manual_seed(seed), {}
    for name, shape in shapes(config).items():
        values = torch.randn(shape, generator=generator)
        if len(shape) == 1:
            values = 1 + 0.2 * values if name.endswith("weight") else 0.3 * values
        else:
            values = values / values[0].numel() ** 0.5
        weights[name] = values.half().bfloat16().float()
    return weights


def turns(grid, head_dim):
    """Unit complex numbers `[tokens, head_dim / 2]`, f64."""
    side = 2 * (head_dim // 6)
    axes = []
    for count, channels in zip(grid, (head_dim - 2 * side, side, side)):
        speed = 10000.0 ** -(torch.arange(0, channels, 2, dtype=torch.float64) / channels)
        angle = torch.outer(torch.arange(count, dtype=torch.float64), speed)
        axes.append(torch.polar(torch.ones_like(angle), angle))
    f, h, w = grid
    parts = [axes[0][:, None, None].expand(f, h, w, -1), axes[1][None, :, None].expand(f, h, w, -1),
             axes[2][None, None].expand(f, h, w, -1)]
    return torch.cat(parts, -1).reshape(f * h * w, -1)


def rotate(x, turn):
    pairs = torch.view_as_complex(x.double().unflatten(-1, (-1, 2)).contiguous())
    return torch.view_as_real(pairs * turn[None, :, None]).flatten(-2).float()


class Uni3C:
    def __init__(self, config, weights):
        self.c, self.w = config, weights

    def of(self, name):
        return self.w[f"{name}.weight"], self.w[f"{name}.bias"]

    def zero_norm(self, name, x, e):
        shift, scale, gate = F.linear(F.silu(e), *self.of(f"{name}.linear")).chunk(3, -1)
        return F.layer_norm(x, x.shape[-1:], *self.of(f"{name}.norm"), eps=1e-5) * (1 + scale) + shift, gate

    def attention(self, name, x, turn):
        heads = lambda y: y.unflatten(-1, (self.c["heads"], -1))
        rms = lambda part, y: F.rms_norm(y, y.shape[-1:], self.w[f"{name}.norm_{part}.weight"], eps=1e-6)
        q, k, v = (F.linear(x, *self.of(f"{name}.to_{part}")) for part in "qkv")
        q, k = rotate(heads(rms("q", q)), turn), rotate(heads(rms("k", k)), turn)
        y = F.scaled_dot_product_attention(*(t.transpose(1, 2) for t in (q, k, heads(v))))
        return F.linear(y.transpose(1, 2).flatten(2), *self.of(f"{name}.to_out.0"))

    def geometry(self, add):
        name = "controlnet_mask_embedding"
        x = F.conv3d(F.pad(add, (0, 0, 0, 0, 3, 0)), *self.of(f"{name}.mask_proj.0"), stride=(4, 8, 8))
        x = F.silu(F.group_norm(x, self.c["mid"] // 8, *self.of(f"{name}.mask_proj.1")))
        return F.conv3d(x, *self.of(f"{name}.mask_zero_proj"), stride=(1, 2, 2))

    @torch.no_grad()
    def __call__(self, first20, render, e, add=None):
        """Residuals `[blocks, batch, tokens, out]`."""
        h, w = first20.shape[-2:]
        x = F.pad(torch.cat([first20, render], 1), (0, w % 2, 0, h % 2, 0, 0), mode="circular")
        x = F.conv3d(x, *self.of("controlnet_patch_embedding"), stride=(1, 2, 2))
        turn = turns(x.shape[2:], self.c["dim"] // self.c["heads"])
        if add is not None:
            x = x + self.geometry(add)
        x = F.linear(x.flatten(2).transpose(1, 2), *self.of("controlnet.proj_in"))
        out = []
        for i in range(self.c["layers"]):
            block = f"controlnet.controlnet_blocks.{i}."
            y, gate = self.zero_norm(f"{block}norm1", x, e)
            x = x + gate * self.attention(f"{block}self_attn", y, turn)
            y, gate = self.zero_norm(f"{block}norm2", x, e)
            y = F.gelu(F.linear(y, *self.of(f"{block}ffn.0")), approximate="tanh")
            x = x + gate * F.linear(y, *self.of(f"{block}ffn.2"))
            out.append(F.linear(x, *self.of(f"controlnet.proj_out.{i}")))
        return torch.stack(out)


def case(net, seed, batch, frames, h, w, geometry=False):
    generator = torch.Generator().manual_seed(seed)
    rand = lambda *shape: torch.randn(shape, generator=generator)
    taken = dict(first=rand(batch, 20, frames, h, w), render=rand(batch, 16, frames, h, w),
                 e=2 * rand(batch, 1, net.c["time"]))
    add = {}
    if geometry:
        # As large as it is because it is given at pixels: kept in bytes' steps so that fp16 holds it.
        add["geometry"] = (rand(batch, 7, 4 * frames - 3, 8 * h, 8 * w) * 16).round() / 16
    out = net(*taken.values(), add.get("geometry"))
    return taken | {k: v.half() for k, v in add.items()} | {"residuals": out.contiguous()}


def comfy_name(name):
    for old, new in [("controlnet.", ""), (".to_out.0.", ".o."), (".to_q.", ".q."), (".to_k.", ".k."), (".to_v.", ".v.")]:
        name = name.removeprefix(old) if not new else name.replace(old, new)
    return name


def main():
    torch.set_num_threads(1)
    OUT.mkdir(parents=True, exist_ok=True)
    tiny, wide = random_weights(TINY, 91), random_weights(WIDE, 92)
    save_file({k: v.bfloat16() for k, v in tiny.items()}, OUT / "tiny_authors.safetensors", metadata={"longtake.heads": "2"})
    save_file({comfy_name(k): v.half() for k, v in tiny.items()}, OUT / "tiny_comfy.safetensors", metadata={"longtake.heads": "2"})
    save_file({k.removeprefix("controlnet."): v if "patch" in k else v.half() for k, v in wide.items()},
              OUT / "wide.safetensors")
    small, large = Uni3C(TINY, tiny), Uni3C(WIDE, wide)
    cases = {
        "tiny.even": case(small, 101, 2, 2, 6, 4),
        "tiny.held_out": case(small, 102, 1, 3, 4, 6),
        "tiny.odd": case(small, 103, 1, 2, 5, 3),
        "tiny.geometry": case(small, 104, 1, 2, 4, 6, geometry=True),
        "wide.even": case(large, 111, 1, 2, 6, 8),
        "wide.held_out": case(large, 112, 2, 3, 4, 2),
    }
    save_file({f"{name}.{part}": tensor for name, parts in cases.items() for part, tensor in parts.items()},
              OUT / "cases.safetensors")
    for path in sorted(OUT.glob("*")):
        print(f"{path.stat().st_size:>9}  {path.name}")


if __name__ == "__main__":
    main()
