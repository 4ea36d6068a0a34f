"""Golden files for the CLIP vision tower: transformers' CLIPVisionModel in float32, and ComfyUI's preprocessing.

Run from the repository root:  /opt/ref/bin/python tests/reference/clip_vision.py
Writes tests/data/clip/. One random model (2 heads of 24, 3 layers, 28 pixels in patches of 7) in the
three ways that files name its weights:

* tiny_hf.safetensors: transformers' and ComfyUI's names, heads in the metadata entry `longtake.heads`.
* tiny_wan.safetensors: `visual.*` of Wan-AI's image encoder, queries, keys and values in one matrix.
* tiny_openclip.safetensors: `visual.transformer.resblocks.*` of open_clip.

Weights are rounded so that float32, float16 and bfloat16 all hold them exactly. `preprocess.json` holds
samples of pictures made ready for the tower (ComfyUI's `comfy/clip_vision.py`, retold): resized with
torch's antialiased bicubic, cropped or not, rounded to bytes.
"""

import json
from pathlib import Path

import torch
from safetensors.torch import save_file
from transformers import CLIPVisionConfig, CLIPVisionModel

OUT = Path(__file__).resolve().parents[1] / "data" / "clip"
TINY = dict(hidden_size=48, intermediate_size=80, num_hidden_layers=3, num_attention_heads=2,
            image_size=28, patch_size=7, hidden_act="gelu", layer_norm_eps=1e-5)
MEAN = torch.tensor([0.48145466, 0.4578275, 0.40821073])
STD = torch.tensor([0.26862954, 0.26130258, 0.27577711])


def random_model(seed):
    """A model whose every weight matters: biases and norms are random too."""
    model = CLIPVisionModel(CLIPVisionConfig(**TINY)).eval()
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            values = torch.randn(parameter.shape, generator=generator)
            if "norm" in name and name.endswith("weight"):
                values = 1 + 0.2 * values
            elif parameter.dim() == 1 or "position" in name:
                values = 0.3 * values
            else:
                values = values / parameter[0].numel() ** 0.5
            parameter.copy_(values.half().bfloat16().float())
    return model


def hf_names(model):
    """transformers' names, below `vision_model.` whichever version wrote them."""
    state = {name.removeprefix("vision_model."): tensor for name, tensor in model.state_dict().items()}
    return {f"vision_model.{name}": tensor for name, tensor in state.items() if "position_ids" not in name}


def wan_names(hf):
    get = lambda name: hf[f"vision_model.{name}"]
    out = {
        "visual.patch_embedding.weight": get("embeddings.patch_embedding.weight"),
        "visual.cls_embedding": get("embeddings.class_embedding")[None, None],
        "visual.pos_embedding": get("embeddings.position_embedding.weight")[None],
        "visual.head": torch.randn(48, 16, generator=torch.Generator().manual_seed(5)),
    }
    for end in ("weight", "bias"):
        out[f"visual.pre_norm.{end}"] = get(f"pre_layrnorm.{end}")
        out[f"visual.post_norm.{end}"] = get(f"post_layernorm.{end}")
        for i in range(TINY["num_hidden_layers"]):
            theirs, ours = f"encoder.layers.{i}.", f"visual.transformer.{i}."
            out[f"{ours}norm1.{end}"] = get(f"{theirs}layer_norm1.{end}")
            out[f"{ours}norm2.{end}"] = get(f"{theirs}layer_norm2.{end}")
            out[f"{ours}attn.to_qkv.{end}"] = torch.cat([get(f"{theirs}self_attn.{p}_proj.{end}") for p in "qkv"])
            out[f"{ours}attn.proj.{end}"] = get(f"{theirs}self_attn.out_proj.{end}")
            out[f"{ours}mlp.0.{end}"] = get(f"{theirs}mlp.fc1.{end}")
            out[f"{ours}mlp.2.{end}"] = get(f"{theirs}mlp.fc2.{end}")
    return out


OPEN_CLIP = [
    ("visual.transformer.", "visual.transformer.resblocks."), (".attn.to_qkv.weight", ".attn.in_proj_weight"),
    (".attn.to_qkv.bias", ".attn.in_proj_bias"), (".attn.proj.", ".attn.out_proj."), (".norm1.", ".ln_1."),
    (".norm2.", ".ln_2."), (".mlp.0.", ".mlp.c_fc."), (".mlp.2.", ".mlp.c_proj."),
    ("visual.pre_norm.", "visual.ln_pre."), ("visual.post_norm.", "visual.ln_post."),
    ("visual.patch_embedding.", "visual.conv1."), ("visual.cls_embedding", "visual.class_embedding"),
    ("visual.pos_embedding", "visual.positional_embedding"), ("visual.head", "visual.proj"),
]


def open_clip_names(wan):
    out = {}
    for name, tensor in wan.items():
        for old, new in OPEN_CLIP:
            name = name.replace(old, new)
        flat = name in ("visual.class_embedding", "visual.positional_embedding")
        out[name] = tensor.reshape(tensor.shape[-1:] if name == "visual.class_embedding" else tensor.shape[1:]) if flat else tensor
    return out


def picture(width, height):
    """Floats `[1, height, width, 3]`, bytes over 255: slopes and sharp edges the Rust test makes too."""
    y, x, c = torch.meshgrid(torch.arange(height), torch.arange(width), torch.arange(3), indexing="ij")
    return ((x * 3 + y * 5 + c * 53 + (x // 16 + y // 16) % 2 * 90) % 256).float()[None] / 255.0


def clip_preprocess(image, size, crop):
    """Bytes `[3, size, size]` of the picture as the tower sees it, before normalisation."""
    image = image.movedim(-1, 1)
    height, width = image.shape[2:]
    if (height, width) != (size, size):
        scale = size / min(height, width)
        target = (round(scale * height), round(scale * width)) if crop else (size, size)
        image = torch.nn.functional.interpolate(image, size=target, mode="bicubic", antialias=True)
        top, left = (image.shape[2] - size) // 2, (image.shape[3] - size) // 2
        image = image[:, :, top:top + size, left:left + size]
    return torch.clip(255.0 * image, 0, 255).round()[0]


def preprocess_cases():
    cases = []
    for width, height in [(640, 360), (300, 451), (100, 64), (224, 224), (37, 700), (225, 223)]:
        for crop in (True, False):
            out = clip_preprocess(picture(width, height), 224, crop).movedim(0, -1).reshape(-1).to(torch.uint8)
            picks = range(0, len(out), 229)
            cases.append(dict(width=width, height=height, crop=crop, sum=int(out.long().sum()),
                              picks=[int(out[i]) for i in picks]))
    return cases


@torch.no_grad()
def main():
    torch.set_num_threads(1)
    OUT.mkdir(parents=True, exist_ok=True)
    model = random_model(71)
    hf = {name: tensor.bfloat16().contiguous() for name, tensor in hf_names(model).items()}
    wan = {name: tensor.half().contiguous() for name, tensor in wan_names(hf_names(model)).items()}
    heads = {"longtake.heads": "2"}
    save_file(hf, OUT / "tiny_hf.safetensors", metadata=heads)
    save_file(wan, OUT / "tiny_wan.safetensors", metadata=heads)
    save_file({k: v.contiguous() for k, v in open_clip_names(wan).items()}, OUT / "tiny_openclip.safetensors", metadata=heads)

    cases = {}
    for name, batch, seed in [("one", 1, 81), ("held_out", 3, 82)]:
        pixels = torch.randn(batch, 3, 28, 28, generator=torch.Generator().manual_seed(seed))
        hidden = model(pixel_values=pixels, output_hidden_states=True).hidden_states
        assert len(hidden) == TINY["num_hidden_layers"] + 1
        cases |= {f"{name}.pixels": pixels, f"{name}.penultimate": hidden[-2].contiguous()}
    save_file(cases, OUT / "cases.safetensors")
    text = json.dumps(dict(mean=MEAN.tolist(), std=STD.tolist(), cases=preprocess_cases()))
    (OUT / "preprocess.json").write_text(text.replace('{"width"', '\n{"width"') + "\n")
    for path in sorted(OUT.glob("*")):
        print(f"{path.stat().st_size:>9}  {path.name}")
    print(sorted(hf)[:8])


if __name__ == "__main__":
    main()
