"""One small Wan 2.1 family in ComfyUI's layout, and what ComfyUI makes of a prompt with it.

Run from the repository root, after umt5.py:  /opt/ref/bin/python tests/reference/wan_e2e.py
Reads tests/data/wan-tiny/prompt.json. Writes below tests/data/wan-tiny/:

  models/diffusion_models/wan_tiny_bf16.safetensors    one head of 128, 3 layers, text width 64
  models/text_encoders/umt5_tiny_bf16.safetensors      with the tokenizer as `spiece_model`
  models/vae/wan_tiny_vae.safetensors                  base width 4, 16 latent channels
  goldens.safetensors     `<sampler>.latent` raw as SaveLatent writes it, `<sampler>.frames` u8
                          [frames, height, width, rgb] as SaveImage writes them; `positive`,
                          `negative`: the encoded text without its padding

Random weights, none of them published; all are exact in bfloat16, so that the files and the
reference (float32 throughout) hold the same numbers. The networks are diffusers' and
transformers'; what stands between them restates ComfyUI (see wan_sampling.py for the sampler).
Nothing here shares code with Longtake.
"""

import json
import re
from pathlib import Path

import sentencepiece
import torch
from diffusers import AutoencoderKLWan, WanTransformer3DModel
from safetensors.torch import save_file

import umt5
from wan_dit import original_name as dit_name, random_model
from wan_sampling import denoiser, euler, process_out, uni_pc

OUT = Path(__file__).resolve().parents[1] / "data" / "wan-tiny"
DIT = dict(num_attention_heads=1, attention_head_dim=128, num_layers=3, ffn_dim=256, text_dim=64,
           in_channels=16, out_channels=16, freq_dim=256)
VAE = dict(base_dim=4, z_dim=16, num_res_blocks=2)
SAMPLERS = dict(euler=euler, uni_pc=uni_pc)


def load_vae_reference():
    """wan_vae.py runs on import; only its naming is wanted here."""
    source = (Path(__file__).parent / "wan_vae.py").read_text()
    scope = {"__file__": __file__}
    exec(compile(source.removesuffix("main()\n"), "wan_vae.py", "exec"), scope)
    return scope


def make_text_encoder():
    proto = umt5.train_tokenizer()
    tokenizer = sentencepiece.SentencePieceProcessor(model_proto=proto)
    model = umt5.make_model(tokenizer.get_piece_size() + 8)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.copy_(parameter.bfloat16().float())
    weights = {name: tensor.bfloat16().contiguous() for name, tensor in model.state_dict().items()
               if name != "encoder.embed_tokens.weight"}
    weights["spiece_model"] = torch.tensor(list(proto), dtype=torch.uint8)
    return model, tokenizer, weights


def weighted_runs(text):
    """`a (b:1.3) c` into runs of one weight; nothing nested, which is all the prompt uses."""
    runs = [(part, 1.0) if at % 3 == 0 else (part, None)
            for at, part in enumerate(re.split(r"\(([^():]*):([0-9.]+)\)", text))]
    out = []
    for at in range(0, len(runs), 3):
        out.append((runs[at][0], 1.0))
        if at + 2 < len(runs):
            out.append((runs[at + 1][0], float(runs[at + 2][0])))
    return [(part, weight) for part, weight in out if part]


def simple(steps, shift):
    t = torch.arange(1, 1001) / 1000
    table = shift * t / (1 + (shift - 1) * t)
    return torch.tensor([float(table[-(1 + int(i * (1000 / steps)))]) for i in range(steps)] + [0.0])


def sample(denoise, name, steps, shift, noise):
    sigmas = simple(steps + 1, shift) if name == "uni_pc" else simple(steps, shift)
    if name == "uni_pc":
        sigmas = torch.cat([sigmas[:-2], sigmas[-1:]])
    x = sigmas[0] * noise + (1.0 - sigmas[0]) * torch.zeros_like(noise)
    x = SAMPLERS[name](denoise, x, sigmas)
    return process_out(x / (1.0 - sigmas[-1]))


@torch.no_grad()
def main():
    torch.set_num_threads(1)
    nodes = {node["class_type"]: node["inputs"] for node in json.loads((OUT / "prompt.json").read_text()).values()}
    texts = {node["_meta"]["title"]: node["inputs"]["text"]
             for node in json.loads((OUT / "prompt.json").read_text()).values() if "text" in node["inputs"]}
    sampler, size = nodes["KSampler"], nodes["EmptyHunyuanLatentVideo"]

    encoder, tokenizer, encoder_weights = make_text_encoder()
    dit = random_model(DIT, 51)
    reference = load_vae_reference()
    torch.manual_seed(52)
    vae = AutoencoderKLWan(**VAE, latents_mean=[0.0] * 16, latents_std=[1.0] * 16)
    reference["randomise"](vae)
    # Raw latents have deviations of 1.1 to 3.3; the first convolution takes that back.
    vae.decoder.conv_in.weight.copy_((vae.decoder.conv_in.weight * 0.5).bfloat16().float())
    vae.decoder.conv_out.weight.mul_(2.0)  # contrast: what is compared should fill the range
    vae.eval()

    models = OUT / "models"
    save_file({dit_name(k): v.bfloat16().contiguous() for k, v in dit.state_dict().items()},
              models / "diffusion_models" / "wan_tiny_bf16.safetensors")
    save_file(encoder_weights, models / "text_encoders" / "umt5_tiny_bf16.safetensors")
    save_file({reference["original_name"](k): v.bfloat16().contiguous() for k, v in vae.state_dict().items()},
              models / "vae" / "wan_tiny_vae.safetensors")

    goldens, rows = {}, []
    for title in ("Positive", "Negative"):
        encoded = umt5.comfy_encode(encoder, tokenizer, weighted_runs(texts[title]))
        goldens[title.lower()] = encoded.contiguous()
        padded = torch.zeros(1, 512, DIT["text_dim"])
        padded[0, : len(encoded)] = encoded
        rows.append(padded)
    shape = (size["batch_size"], 16, (size["length"] - 1) // 4 + 1, size["height"] // 8, size["width"] // 8)
    noise = torch.randn(shape, generator=torch.Generator("cpu").manual_seed(sampler["seed"]))
    assert sampler["cfg"] == 4.0, "wan_sampling.denoiser guides at 4"
    denoise = denoiser(dit, *rows)
    for name in SAMPLERS:
        latent = sample(denoise, name, sampler["steps"], nodes["ModelSamplingSD3"]["shift"], noise.clone())
        frames = vae.decode(latent).sample[0]
        share = (frames.abs() >= 1).float().mean().item()
        print(f"{name}: latent std {latent.std():.3f}, frames std {frames.std():.3f}, clamped {share:.4f}")
        assert share < 0.02, "the clamp hides errors"
        image = ((frames + 1.0) / 2.0).clamp(0, 1)
        goldens[f"{name}.latent"] = latent.contiguous()
        goldens[f"{name}.frames"] = (255.0 * image).to(torch.uint8).permute(1, 2, 3, 0).contiguous()
    save_file(goldens, OUT / "goldens.safetensors")
    for path in sorted(OUT.rglob("*.safetensors")):
        print(f"{path.stat().st_size:>9}  {path.relative_to(OUT)}")


if __name__ == "__main__":
    main()
