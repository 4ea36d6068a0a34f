"""Golden files for SCAIL and SCAIL-2: the transformer restated from its description, in float64.

Run from the repository root:  /opt/ref/bin/python tests/reference/wan_scail.py
Writes tests/data/dit/scail_original_bf16.safetensors (a random SCAIL-2 of 2 heads of 24, 2 layers,
original names, weights exact in bfloat16) and scail_cases.safetensors. No library has this model.
The description: Wan 2.1's image-to-video transformer, whose tokens are [references | video |
pose]; the pose has its own patch embedding, half the rows and columns, and rotary factors that
are the full grid's averaged over 2x2 tokens (or the rotation by the mean angle); identity masks
are embedded by a third convolution and added. Residuals of a control go to the video's tokens.
"""

import torch
import torch.nn.functional as F
from safetensors.torch import save_file

from wan_dit import OUT, named

DIM, HEADS, FFN, LAYERS = 48, 2, 64, 2
TEXT, FREQ, CLIP = 24, 32, 20
IN, OUT_CHANNELS, MASK = 20, 16, 28
HEAD = DIM // HEADS


def shapes():
    def linear(name, to, taken):
        return {f"{name}.weight": (to, taken), f"{name}.bias": (to,)}

    def norm(name, width):
        return {f"{name}.weight": (width,), f"{name}.bias": (width,)}

    all_ = {}
    for name, channels in [("patch_embedding", IN), ("patch_embedding_pose", IN), ("patch_embedding_mask", MASK)]:
        all_ |= {f"{name}.weight": (DIM, channels, 1, 2, 2), f"{name}.bias": (DIM,)}
    all_ |= linear("text_embedding.0", DIM, TEXT) | linear("text_embedding.2", DIM, DIM)
    all_ |= linear("time_embedding.0", DIM, FREQ) | linear("time_embedding.2", DIM, DIM)
    all_ |= linear("time_projection.1", 6 * DIM, DIM)
    all_ |= norm("img_emb.proj.0", CLIP) | linear("img_emb.proj.1", CLIP, CLIP)
    all_ |= linear("img_emb.proj.3", DIM, CLIP) | norm("img_emb.proj.4", DIM)
    all_ |= linear("head.head", 4 * OUT_CHANNELS, DIM) | {"head.modulation": (1, 2, DIM)}
    for i in range(LAYERS):
        block = f"blocks.{i}"
        for attention in ["self_attn", "cross_attn"]:
            for part in "qkvo":
                all_ |= linear(f"{block}.{attention}.{part}", DIM, DIM)
            for part in "qk":
                all_[f"{block}.{attention}.norm_{part}.weight"] = (DIM,)
        all_ |= linear(f"{block}.cross_attn.k_img", DIM, DIM) | linear(f"{block}.cross_attn.v_img", DIM, DIM)
        all_[f"{block}.cross_attn.norm_k_img.weight"] = (DIM,)
        all_ |= norm(f"{block}.norm3", DIM) | {f"{block}.modulation": (1, 6, DIM)}
        all_ |= linear(f"{block}.ffn.0", FFN, DIM) | linear(f"{block}.ffn.2", DIM, FFN)
    return all_


def random_weights(seed):
    generator = torch.Generator().manual_seed(seed)
    weights = {}
    for name, shape in shapes().items():
        values = torch.randn(shape, generator=generator)
        vector = len(shape) == 1 and name.endswith("weight")
        if vector:
            values = 1 + 0.2 * values
        elif name.endswith(("bias", "modulation")):
            values = 0.3 * values
        else:
            values = values / values[0].numel() ** 0.5
        weights[name] = values.half().bfloat16()
    return weights


class Scail:
    def __init__(self, weights):
        self.w = {name: value.double() for name, value in weights.items()}

    def linear(self, name, x):
        return F.linear(x, self.w[f"{name}.weight"], self.w[f"{name}.bias"])

    def layer_norm(self, x, name=None, eps=1e-6):
        affine = (self.w[f"{name}.weight"], self.w[f"{name}.bias"]) if name else (None, None)
        return F.layer_norm(x, x.shape[-1:], *affine, eps)

    def rms(self, x, name):
        return x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + 1e-6) * self.w[f"{name}.weight"]

    def patches(self, name, latent):
        y = F.conv3d(latent, self.w[f"{name}.weight"], self.w[f"{name}.bias"], stride=(1, 2, 2))
        return y.flatten(2).transpose(1, 2)

    def attend(self, q, k, v):
        q, k, v = (x.unflatten(-1, (HEADS, HEAD)).transpose(1, 2) for x in (q, k, v))
        weights = torch.softmax(q @ k.transpose(-1, -2) / HEAD**0.5, -1)
        return (weights @ v).transpose(1, 2).flatten(2)

    def block(self, i, x, e0, turns, text, image):
        name = f"blocks.{i}"
        m = (self.w[f"{name}.modulation"] + e0).split(1, 1)
        y = self.layer_norm(x) * (1 + m[1]) + m[0]
        attn = f"{name}.self_attn"
        q, k = (turn(self.rms(self.linear(f"{attn}.{p}", y), f"{attn}.norm_{p}"), turns) for p in "qk")
        x = x + m[2] * self.linear(f"{attn}.o", self.attend(q, k, self.linear(f"{attn}.v", y)))

        attn = f"{name}.cross_attn"
        y = self.layer_norm(x, f"{name}.norm3")
        q = self.rms(self.linear(f"{attn}.q", y), f"{attn}.norm_q")
        k = self.rms(self.linear(f"{attn}.k", text), f"{attn}.norm_k")
        y = self.attend(q, k, self.linear(f"{attn}.v", text))
        k = self.rms(self.linear(f"{attn}.k_img", image), f"{attn}.norm_k_img")
        y = y + self.attend(q, k, self.linear(f"{attn}.v_img", image))
        x = x + self.linear(f"{attn}.o", y)

        y = self.layer_norm(x) * (1 + m[4]) + m[3]
        y = self.linear(f"{name}.ffn.2", F.gelu(self.linear(f"{name}.ffn.0", y), approximate="tanh"))
        return x + m[5] * y

    def forward(self, latent, times, context, image, reference=None, pose=None, reference_mask=None,
                pose_mask=None, replacement=False, midpoint=False, residuals=None):
        f, h, w = latent.shape[2:]
        grid = (f, h // 2, w // 2)
        parts, video = [], self.patches("patch_embedding", latent)
        references = 0
        if reference is not None:
            references = reference.shape[2]
            parts.append(self.patches("patch_embedding", reference))
        first = references * grid[1] * grid[2]
        x = torch.cat([*parts, video], 1)
        if reference_mask is not None:
            x = x + self.patches("patch_embedding_mask", reference_mask)
        if pose is not None:
            y = self.patches("patch_embedding_pose", pose)
            if pose_mask is not None:
                y = y + self.patches("patch_embedding_mask", pose_mask)
            x = torch.cat([x, y], 1)
        turns = rotations(grid, references, pose is not None, replacement, midpoint)

        half = FREQ // 2
        angles = times[:, None] * 10000 ** (-torch.arange(half).double() / half)
        e = torch.cat([angles.cos(), angles.sin()], 1)
        e = self.linear("time_embedding.2", F.silu(self.linear("time_embedding.0", e)))
        e0 = self.linear("time_projection.1", F.silu(e)).unflatten(1, (6, DIM))
        rows = torch.zeros(context.shape[0], 512, TEXT).double()
        rows[:, : context.shape[1]] = context
        text = self.linear("text_embedding.2", F.gelu(self.linear("text_embedding.0", rows), approximate="tanh"))
        image = self.linear("img_emb.proj.1", self.layer_norm(image, "img_emb.proj.0", 1e-5))
        image = self.layer_norm(self.linear("img_emb.proj.3", F.gelu(image)), "img_emb.proj.4", 1e-5)

        last = first + video.shape[1]
        for i in range(LAYERS):
            x = self.block(i, x, e0, turns, text, image)
            if residuals is not None:
                x[:, first:last] += residuals[i]
        s = self.w["head.modulation"] + e[:, None]
        y = self.linear("head.head", self.layer_norm(x[:, first:last]) * (1 + s[:, 1:]) + s[:, :1])
        y = y.reshape(-1, *grid, 2, 2, OUT_CHANNELS).permute(0, 6, 1, 2, 4, 3, 5)
        return y.reshape(-1, OUT_CHANNELS, f, h, w), e[:, None]


def rotations(grid, references, pose, replacement, midpoint):
    """Complex factors [tokens, HEAD / 2]."""
    side = HEAD // 6
    pairs = [HEAD // 2 - 2 * side, side, side]

    def region(t, h, w):
        axes = []
        for positions, n in zip((t, h, w), pairs):
            angles = torch.outer(positions.double(), 10000 ** (-torch.arange(n).double() / n))
            axes.append(torch.polar(torch.ones_like(angles), angles))
        size = (len(t), len(h), len(w), -1)
        views = [axes[0][:, None, None], axes[1][None, :, None], axes[2][None, None]]
        return torch.cat([view.expand(size) for view in views], -1)

    frames, rows, columns = grid
    down = 120 if replacement else 0
    start = max(references - 1, 0) if replacement else references
    t, h, w = torch.arange(start, start + frames), torch.arange(rows), torch.arange(columns)
    streams = [region(t, h, w)]
    if references:
        streams.insert(0, region(torch.arange(references), h + down, w))
    if pose and midpoint:
        streams.append(region(t, h[::2] + 0.5, w[::2] + 120.5))
    elif pose:
        full = region(t, h, w + 120).permute(0, 3, 1, 2)
        pooled = torch.complex(F.avg_pool2d(full.real, 2), F.avg_pool2d(full.imag, 2))
        streams.append(pooled.permute(0, 2, 3, 1))
    return torch.cat([stream.flatten(0, 2) for stream in streams])


def turn(x, turns):
    pairs = torch.view_as_complex(x.unflatten(-1, (HEADS, HEAD // 2, 2)).contiguous())
    return torch.view_as_real(pairs * turns[None, :, None]).flatten(2)


def case(model, seed, shape, references, pose=True, masks=(), control=False, **how):
    """`masks`: what is given of "reference" (all frames), "first" (references alone), "pose"."""
    generator = torch.Generator().manual_seed(seed)

    def random(*size):
        return torch.randn(size, generator=generator)

    b, f, h, w = shape
    ones = torch.ones(1, 4, 1, 1, 1)

    def clean(frames, h, w):
        return torch.cat([random(1, 16, frames, h, w), ones.expand(1, 4, frames, h, w)], 1)

    inputs = dict(latent=torch.cat([random(b, 16, f, h, w), torch.zeros(b, 4, f, h, w)], 1),
                  context=random(b, 9, TEXT), image=random(1, 257, CLIP),
                  timestep=torch.tensor([700.5, 123.25][:b]))
    if references:
        inputs["reference"] = clean(references, h, w)
    if pose:
        inputs["pose"] = clean(f, h // 2, w // 2)
    if "reference" in masks:
        inputs["reference_mask"] = (random(1, MASK, references + f, h, w) > 0.3).float()
    if "first" in masks:
        inputs["reference_mask"] = (random(1, MASK, references, h, w) > 0.3).float()
    if "pose" in masks:
        inputs["pose_mask"] = (random(1, MASK, f, h // 2, w // 2) > 0.3).float()
    given = {name: value.double() for name, value in inputs.items()}
    if control:
        count = f * (h // 2) * (w // 2)
        inputs["residual_0"], inputs["residual_1"] = random(1, count, DIM), random(1, count, DIM)
        given["residuals"] = [inputs["residual_0"].double(), inputs["residual_1"].double()]
    if "first" in masks:
        zeros = torch.zeros(1, MASK, f, h, w).double()
        given["reference_mask"] = torch.cat([given["reference_mask"], zeros], 2)
    times = given.pop("timestep")
    batch = {name: value.expand(b, *value.shape[1:]) for name, value in given.items() if name != "residuals"}
    if control:
        batch["residuals"] = given["residuals"]
    output, e = model.forward(times=times, **batch, **how)
    return {name: value.float().contiguous() for name, value in inputs.items()} | dict(
        output=output.float().contiguous(), e=e.float().contiguous())


@torch.no_grad()
def main():
    torch.set_num_threads(1)
    weights = random_weights(61)
    save_file(weights, OUT / "scail_original_bf16.safetensors", metadata={"longtake.heads": str(HEADS)})
    model = Scail(weights)
    cases = {}
    cases |= named("preview", case(model, 71, (1, 3, 8, 12), 1))
    cases |= named("preview_midpoint", case(model, 72, (1, 2, 8, 8), 1, midpoint=True))
    cases |= named("preview_batch", case(model, 73, (2, 2, 4, 8), 1))
    cases |= named("reference_alone", case(model, 74, (1, 2, 6, 10), 1, pose=False))
    cases |= named("pose_alone", case(model, 75, (1, 2, 8, 4), 0))
    cases |= named("animation", case(model, 76, (1, 2, 8, 8), 2, masks=("reference", "pose")))
    cases |= named("replacement", case(model, 77, (1, 2, 8, 8), 2, masks=("first", "pose"), replacement=True))
    cases |= named("control", case(model, 78, (2, 2, 8, 4), 1, control=True))
    save_file(cases, OUT / "scail_cases.safetensors")


if __name__ == "__main__":
    main()
