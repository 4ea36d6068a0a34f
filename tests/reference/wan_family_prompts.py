"""The prompts of the chains in `wan_family_e2e.py`, as ComfyUI writes them."""


def node(class_type, title=None, **inputs):
    return {"class_type": class_type, "inputs": inputs} | ({"_meta": {"title": title}} if title else {})


def common(vae="wan_tiny_vae.safetensors"):
    return {
        "clip": node("CLIPLoader", clip_name="umt5_tiny_bf16.safetensors", type="wan", device="default"),
        "vae": node("VAELoader", vae_name=vae),
        "pos": node("CLIPTextEncode", "Positive", text="A cat and a (red kite:1.3) in the rain, 雪が小さな村を覆い", clip=["clip", 0]),
        "neg": node("CLIPTextEncode", "Negative", text="worst quality, low quality, blurry, 最差质量", clip=["clip", 0]),
    }


def model(name, shift):
    return {
        "unet": node("UNETLoader", unet_name=name, weight_dtype="default"),
        "shift": node("ModelSamplingSD3", shift=shift, model=["unet", 0]),
    }


def sampled(seed, cfg, positive, negative, latent, model="shift", steps=5):
    return {"sampler": node("KSampler", seed=seed, steps=steps, cfg=cfg, sampler_name="euler", scheduler="simple", denoise=1.0,
                            model=[model, 0], positive=positive, negative=negative, latent_image=latent)}


def saved(frames=True):
    out = {"save": node("SaveLatent", filename_prefix="latents/tiny", samples=["sampler", 0])}
    if frames:
        out["decode"] = node("VAEDecode", samples=["sampler", 0], vae=["vae", 0])
        out["frames"] = node("SaveImage", filename_prefix="frames/tiny", images=["decode", 0])
    return out


def seen():
    return {
        "vision": node("CLIPVisionLoader", clip_name="clip_vision_tiny.safetensors"),
        "look": node("CLIPVisionEncode", clip_vision=["vision", 0], image=["start", 0], crop="none"),
    }


def film(name):
    """Five frames of one picture, four of another."""
    return {
        f"{name}-a": node("LoadImage", image=f"{name}-a.png"),
        f"{name}-b": node("LoadImage", image=f"{name}-b.png"),
        f"{name}-5": node("RepeatImageBatch", image=[f"{name}-a", 0], amount=5),
        f"{name}-4": node("RepeatImageBatch", image=[f"{name}-b", 0], amount=4),
        name: node("ImageBatch", image1=[f"{name}-5", 0], image2=[f"{name}-4", 0]),
    }


START = {"start": node("LoadImage", image="start.png")}
SIZE = dict(width=64, height=48, length=9, batch_size=1)
SIDES = dict(positive=["pos", 0], negative=["neg", 0])

EXPERTS = common() | START | {
    "high": node("UNETLoader", unet_name="wan22_i2v_high_tiny.safetensors", weight_dtype="default"),
    "low": node("UNETLoader", unet_name="wan22_i2v_low_tiny.safetensors", weight_dtype="default"),
    "i2v": node("WanImageToVideo", vae=["vae", 0], start_image=["start", 0], **SIDES, **SIZE),
    "sampler": node("WanExpertSampler", high_model=["high", 0], low_model=["low", 0], seed=71, steps=7, cfg_high=4.0,
                    cfg_low=2.5, boundary=0.9, shift=5.0, sampler_name="euler", scheduler="simple", positive=["i2v", 0],
                    negative=["i2v", 1], latent_image=["i2v", 2], denoise=1.0),
} | saved()

CLIP = common() | START | seen() | model("wan21_i2v_tiny.safetensors", 3.0) | {
    "i2v": node("WanImageToVideo", vae=["vae", 0], clip_vision_output=["look", 0], start_image=["start", 0], **SIDES, **SIZE),
} | sampled(72, 4.0, ["i2v", 0], ["i2v", 1], ["i2v", 2]) | saved()

TI2V = common("wan22_tiny_vae.safetensors") | START | model("wan22_ti2v_tiny.safetensors", 5.0) | {
    "i2v": node("Wan22ImageToVideoLatent", vae=["vae", 0], width=96, height=64, length=9, batch_size=1, start_image=["start", 0]),
} | sampled(73, 5.0, ["pos", 0], ["neg", 0], ["i2v", 0]) | saved()

SCAIL = common() | START | seen() | film("pose") | film("view") | model("scail2_tiny_bf16.safetensors", 5.0) | {
    "net": node("ControlNetLoader", control_net_name="uni3c_tiny_bf16.safetensors"),
    "moved": node("WanSCAILToVideo", vae=["vae", 0], width=64, height=64, length=9, batch_size=1, pose_strength=0.9, pose_start=0.0,
                  pose_end=0.7, video_frame_offset=0, previous_frame_count=5, pose_video=["pose", 0],
                  reference_image=["start", 0], clip_vision_output=["look", 0], **SIDES),
    "framed": node("ControlNetApplyAdvanced", positive=["moved", 0], negative=["moved", 1], control_net=["net", 0],
                   image=["view", 0], strength=0.8, start_percent=0.0, end_percent=0.6, vae=["vae", 0]),
} | sampled(74, 4.0, ["framed", 0], ["framed", 1], ["moved", 2], steps=6) | saved()


def text_to_video(length, seed, steps, more, last):
    empty = node("EmptyHunyuanLatentVideo", **SIZE | dict(length=length))
    return common() | model("wan_tiny_bf16.safetensors", 8.0) | {"empty": empty} | more | sampled(
        seed, 4.0, ["pos", 0], ["neg", 0], ["empty", 0], last, steps) | saved(frames=False)


LORA = text_to_video(9, 75, 5, {
    "lora": node("LoraLoaderModelOnly", model=["shift", 0], lora_name="lora_tiny.safetensors", strength_model=0.75),
}, "lora")

WINDOWS = text_to_video(33, 76, 4, {
    "windows": node("WanContextWindowsManual", model=["shift", 0], context_length=17, context_overlap=6,
                    context_schedule="standard_static", context_stride=1, closed_loop=False, fuse_method="pyramid",
                    freenoise=True, retain_first_frame=False),
}, "windows")

CACHE = text_to_video(9, 77, 12, {
    "cache": node("EasyCache", model=["shift", 0], reuse_threshold=0.8, start_percent=0.15, end_percent=0.95, verbose=False),
}, "cache")

ALL = {"experts": EXPERTS, "clip": CLIP, "ti2v": TI2V, "scail": SCAIL, "lora": LORA, "windows": WINDOWS, "cache": CACHE}


def of(prompt):
    """A prompt, and the inputs of its nodes by class."""
    return prompt, {it["class_type"]: it["inputs"] for it in prompt.values()}
