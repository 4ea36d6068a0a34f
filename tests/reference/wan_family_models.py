"""Tiny checkpoints of the whole Wan family, for `wan_family_e2e.py`: what they hold and how they are named.

Random weights, all exact in bfloat16 (see wan_e2e.py). Transformers have 2 heads of 24, so that they stay
small; the metadata entry `longtake.heads` says so. They read the text encoder and the VAE of `wan_e2e.py`.
"""

from pathlib import Path

import sentencepiece
import torch
from diffusers import AutoencoderKLWan, WanTransformer3DModel
from safetensors.torch import load_file, save_file
from transformers import CLIPVisionConfig, CLIPVisionModel

import clip_vision
import umt5
import uni3c
import wan_scail
from wan_dit import original_name as dit_name, random_model
from wan_e2e import DIT, OUT, VAE, load_vae_reference

MODELS = OUT / "models"
TEXT, CLIP = 64, 48
SIZES = dict(num_attention_heads=2, attention_head_dim=24, num_layers=2, ffn_dim=64, text_dim=TEXT, freq_dim=32)
I2V = SIZES | dict(in_channels=36, out_channels=16)
I2V_CLIP = I2V | dict(image_dim=CLIP, added_kv_proj_dim=48)
TI2V = SIZES | dict(in_channels=48, out_channels=48)
VISION = dict(hidden_size=CLIP, intermediate_size=80, num_hidden_layers=3, num_attention_heads=2, image_size=224,
              patch_size=14, hidden_act="gelu", layer_norm_eps=1e-5)
VAE22 = dict(base_dim=2, decoder_base_dim=4, z_dim=48, num_res_blocks=2, is_residual=True, patch_size=2, in_channels=12,
             out_channels=12, scale_factor_spatial=16)
UNI3C = dict(taken=36, conv=48, dim=32, ffn=48, heads=2, layers=2, time=48, out=48, add=0, mid=0)
HEADS = {"longtake.heads": "2"}

# Wan 2.2's VAE: deviation and mean of each channel of raw latents (Wan2.2 wan/modules/vae2_2.py).
MEAN22 = [-0.2289, -0.0052, -0.1323, -0.2339, -0.2799, 0.0174, 0.1838, 0.1557, -0.1382, 0.0542, 0.2813, 0.0891,
          0.1570, -0.0098, 0.0375, -0.1825, -0.2246, -0.1207, -0.0698, 0.5109, 0.2665, -0.2108, -0.2158, 0.2502,
          -0.2055, -0.0322, 0.1109, 0.1567, -0.0729, 0.0899, -0.2799, -0.1230, -0.0313, -0.1649, 0.0117, 0.0723,
          -0.2839, -0.2083, -0.0520, 0.3748, 0.0152, 0.1957, 0.1433, -0.2944, 0.3573, -0.0548, -0.1681, -0.0667]
STD22 = [0.4765, 1.0364, 0.4514, 1.1677, 0.5313, 0.4990, 0.4818, 0.5013, 0.8158, 1.0344, 0.5894, 1.0901,
         0.6885, 0.6165, 0.8454, 0.4978, 0.5759, 0.3523, 0.7135, 0.6804, 0.5833, 1.4146, 0.8986, 0.5659,
         0.7069, 0.5338, 0.4889, 0.4917, 0.4069, 0.4999, 0.6866, 0.4093, 0.5709, 0.6065, 0.6415, 0.4944,
         0.5726, 1.2042, 0.5458, 1.6887, 0.3971, 1.0600, 0.3943, 0.5537, 0.5444, 0.4089, 0.7468, 0.7744]


def exact(model):
    """Rounds every weight to bfloat16, so that the file and the reference hold the same numbers."""
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.copy_(parameter.bfloat16().float())
    return model.eval()


def save(folder, name, tensors, metadata=None):
    path = MODELS / folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    save_file({key: it.bfloat16().contiguous() for key, it in tensors.items()}, path, metadata=metadata)


def dit(name, config, seed):
    model = random_model(config, seed)
    save("diffusion_models", name, {dit_name(k): v for k, v in model.state_dict().items()}, HEADS)
    return model


def wan_tiny():
    """The transformer of wan_e2e.py, as its file has it."""
    model = WanTransformer3DModel(**DIT).eval()
    stored = load_file(MODELS / "diffusion_models" / "wan_tiny_bf16.safetensors")
    model.load_state_dict({name: stored[dit_name(name)].float() for name in model.state_dict()})
    return model


def vae21():
    """The VAE of wan_e2e.py, as its file has it."""
    vae = AutoencoderKLWan(**VAE, latents_mean=[0.0] * 16, latents_std=[1.0] * 16).eval()
    stored, name = load_file(MODELS / "vae" / "wan_tiny_vae.safetensors"), load_vae_reference()["original_name"]
    vae.load_state_dict({key: stored[name(key)].float() for key in vae.state_dict()})
    return vae


def vae22():
    reference = load_vae_reference()
    torch.manual_seed(56)
    vae = AutoencoderKLWan(**VAE22, latents_mean=[0.0] * 48, latents_std=[1.0] * 48)
    reference["randomise"](vae)
    with torch.no_grad():
        vae.decoder.conv_out.weight.mul_(0.7)  # few values past the range: the clamp hides errors
    exact(vae)
    save("vae", "wan22_tiny_vae.safetensors",
         {reference["original_name"](k, True): v for k, v in vae.state_dict().items()})
    return vae


def text_encoder():
    """A function from weighted runs to 512 padded rows, as ComfyUI encodes (see umt5.py)."""
    stored = load_file(MODELS / "text_encoders" / "umt5_tiny_bf16.safetensors")
    tokenizer = sentencepiece.SentencePieceProcessor(model_proto=bytes(stored.pop("spiece_model").tolist()))
    model = umt5.make_model(tokenizer.get_piece_size() + 8)
    missing, unexpected = model.load_state_dict({k: v.float() for k, v in stored.items()}, strict=False)
    assert missing == ["encoder.embed_tokens.weight"] and not unexpected, (missing, unexpected)

    def encode(runs):
        rows = torch.zeros(1, 512, TEXT)
        encoded = umt5.comfy_encode(model, tokenizer, runs)
        rows[0, : len(encoded)] = encoded
        return rows

    return encode


def vision():
    """A tower of ViT-H's picture size with three small blocks; the last one is not run."""
    clip_vision.TINY = VISION
    model = clip_vision.random_model(57)
    save("clip_vision", "clip_vision_tiny.safetensors", clip_vision.hf_names(model), HEADS)

    def see(image):
        """Tokens `[1, 257, CLIP]` of a picture `[1, height, width, 3]`, squeezed to a square."""
        pixels = clip_vision.clip_preprocess(image, 224, crop=False) / 255.0
        pixels = (pixels - clip_vision.MEAN.view(3, 1, 1)) / clip_vision.STD.view(3, 1, 1)
        return model(pixel_values=pixels[None], output_hidden_states=True).hidden_states[-2]

    return see


def scail():
    """SCAIL-2 of wan_scail.py as wide as its text encoder and CLIP here; SCAIL-Preview without the masks."""
    wan_scail.TEXT, wan_scail.CLIP = TEXT, CLIP
    weights = wan_scail.random_weights(58)
    save("diffusion_models", "scail2_tiny_bf16.safetensors", weights, HEADS)
    return wan_scail.Scail(weights)


def control():
    weights = uni3c.random_weights(UNI3C, 59)
    save("controlnet", "uni3c_tiny_bf16.safetensors",
         {name.removeprefix("controlnet."): it for name, it in weights.items()}, HEADS)
    return uni3c.Uni3C(UNI3C, weights)


def lora(model, strength):
    """A LoRA in the original names, some ranks and alphas, a bias; `model` gets it merged."""
    generator, stored = torch.Generator().manual_seed(60), {}
    random = lambda *shape: torch.randn(shape, generator=generator).bfloat16().float()
    parameters = dict(model.named_parameters())
    for name, parameter in parameters.items():
        module = dit_name(name).removesuffix(".weight")
        picked = any(part in module for part in ("self_attn.q", "cross_attn.v", "ffn.0", "ffn.2", "time_projection.1"))
        if not picked or not name.endswith(".weight") or parameter.dim() != 2:
            continue
        rank = 4 if "ffn" in module else 2
        down, up = random(rank, parameter.shape[1]) / 16, random(parameter.shape[0], rank) / 4
        key = f"diffusion_model.{module}"
        stored |= {f"{key}.lora_down.weight": down, f"{key}.lora_up.weight": up, f"{key}.alpha": torch.tensor(3.0)}
        with torch.no_grad():
            parameter += strength * (3.0 / rank) * up @ down
            if "ffn.2" in module:
                stored[f"{key}.diff_b"] = random(parameter.shape[0]) / 8
                parameters[name.replace("weight", "bias")] += strength * stored[f"{key}.diff_b"]
    save("loras", "lora_tiny.safetensors", stored)
    return model
