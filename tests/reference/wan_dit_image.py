"""Golden files for Wan's image-to-video transformers: diffusers' WanTransformer3DModel, float32.

Run from the repository root:  /opt/ref/bin/python tests/reference/wan_dit_image.py
Writes tests/data/dit/. Random models of 2 heads of 24, weights exact in bfloat16 (see wan_dit.py):

* i2v: Wan 2.1 image to video, 36 channels in, CLIP branch; original names, 2 layers.
* flf2v: the same with learned positions for 514 CLIP tokens; a diffusers folder, 1 layer.
* ti2v: Wan 2.2 TI2V-5B, 48 channels in and out, one time per latent frame; original names, 1 layer.
"""

import json

import torch
from diffusers import WanTransformer3DModel  # noqa: F401, wan_dit makes it
from safetensors.torch import save_file

from wan_dit import OUT, named, original_name, pattern, random_model

SIZES = dict(num_attention_heads=2, attention_head_dim=24, ffn_dim=64, text_dim=24, freq_dim=32)
IMAGE = dict(in_channels=36, out_channels=16, image_dim=20, added_kv_proj_dim=48)
I2V = SIZES | IMAGE | dict(num_layers=2)
FLF2V = SIZES | IMAGE | dict(num_layers=1, pos_embed_seq_len=514)
TI2V = SIZES | dict(num_layers=1, in_channels=48, out_channels=48)


@torch.no_grad()
def forward(model, latent, times, context, image=None):
    """Odd sides padded (circular) and cropped; times per item [b] or per token [b, tokens]."""
    h, w = latent.shape[-2:]
    padded = torch.nn.functional.pad(latent, (0, w % 2, 0, h % 2, 0, 0), mode="circular")
    rows = torch.zeros(context.shape[0], 512, context.shape[2])
    rows[:, : context.shape[1]] = context
    return model(padded, times, rows, image, return_dict=False)[0][..., :h, :w].contiguous()


def image_case(model, seed, shape, times, images):
    """`images` CLIP pictures of 257 tokens each; diffusers takes the pairs of FLF2V apart."""
    generator = torch.Generator().manual_seed(seed)
    latent = torch.randn(shape, generator=generator)
    context = torch.randn(shape[0], 11, model.config.text_dim, generator=generator)
    image = torch.randn(shape[0], 257 * images, model.config.image_dim, generator=generator)
    pairs = image.reshape(shape[0] * images, 257, -1) if images > 1 else image
    times = torch.tensor(times)
    return dict(latent=latent, timestep=times, context=context, image=image,
                output=forward(model, latent, times, context, pairs))


def tokens_of(frames, latent):
    """One time per frame as diffusers takes it: one per token of each item."""
    rows, columns = -(-latent.shape[3] // 2), -(-latent.shape[4] // 2)
    return torch.tensor(frames).repeat_interleave(rows * columns).expand(latent.shape[0], -1)


def frames_case(model, seed, shape, frames):
    generator = torch.Generator().manual_seed(seed)
    latent = torch.randn(shape, generator=generator)
    context = torch.randn(shape[0], 7, model.config.text_dim, generator=generator)
    return dict(latent=latent, timestep=torch.tensor(frames), context=context,
                output=forward(model, latent, tokens_of(frames, latent), context))


def many_tokens(model):
    """2400 tokens, more than are modulated at once; every 97th number of the output."""
    latent, context = pattern((1, 48, 4, 40, 60)), pattern((1, 20, model.config.text_dim))
    output = forward(model, latent, tokens_of([0.0, 0.0, 812.5, 812.5], latent), context)
    return dict(output=output.flatten()[::97].contiguous())


def save_original(model, path):
    state = {original_name(name): it.bfloat16().contiguous() for name, it in model.state_dict().items()}
    save_file(state, OUT / path, metadata={"longtake.heads": "2"})


def main():
    torch.set_num_threads(1)
    i2v, flf2v, ti2v = random_model(I2V, 41), random_model(FLF2V, 42), random_model(TI2V, 43)
    with torch.no_grad():
        positions = flf2v.condition_embedder.image_embedder.pos_embed
        generator = torch.Generator().manual_seed(44)
        positions.copy_(torch.randn(positions.shape, generator=generator).half().bfloat16().float())

    save_original(i2v, "i2v_original_bf16.safetensors")
    save_original(ti2v, "ti2v_original_bf16.safetensors")
    folder = OUT / "flf2v_diffusers"
    folder.mkdir(exist_ok=True)
    state = {name: it.bfloat16().contiguous() for name, it in flf2v.state_dict().items()}
    save_file(state, folder / "diffusion_pytorch_model.safetensors", metadata={"format": "pt"})
    config = {"_class_name": "WanTransformer3DModel", "patch_size": [1, 2, 2]} | FLF2V
    (folder / "config.json").write_text(json.dumps(config, indent=2) + "\n")

    cases = {}
    cases |= named("i2v", image_case(i2v, 51, (2, 36, 2, 4, 6), [987.5, 312.25], 1))
    cases |= named("i2v_odd", image_case(i2v, 52, (1, 36, 3, 5, 7), [41.0], 1))
    cases |= named("flf2v", image_case(flf2v, 53, (1, 36, 2, 6, 4), [640.125], 2))
    cases |= named("ti2v", frames_case(ti2v, 54, (1, 48, 3, 6, 4), [0.0, 640.5, 640.5]))
    cases |= named("ti2v_batch", frames_case(ti2v, 55, (2, 48, 4, 5, 4), [0.0, 0.0, 311.0, 900.25]))
    cases |= named("ti2v_many", many_tokens(ti2v))
    save_file(cases, OUT / "image_cases.safetensors")


if __name__ == "__main__":
    main()
