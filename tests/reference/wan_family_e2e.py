"""Whole chains of the Wan family with tiny models, and what ComfyUI and the authors make of them.

Run from the repository root, after wan_e2e.py:  /opt/ref/bin/python tests/reference/wan_family_e2e.py
Writes tests/data/wan-tiny/family/: pictures, a prompt per chain, `goldens.safetensors` with `<chain>.latent`
and, where frames are made, `<chain>.frames` (see wan_e2e.py); and the checkpoints of
wan_family_models.py beside those of wan_e2e.py.

The networks are diffusers', transformers' and the restatements of wan_scail.py and uni3c.py; `wan_unipc`
is diffusers' scheduler; what stands between them restates ComfyUI (comfy_extras/nodes_wan.py,
nodes_scail.py, comfy/{model_base,samplers,utils,context_windows}.py, nodes_easycache.py, 2026) and, for the
two experts, Wan2.2 wan/image2video.py. Nothing here shares code with Longtake.
"""

import json

import numpy as np
import torch
import torch.nn.functional as F
from diffusers import UniPCMultistepScheduler
from PIL import Image
from safetensors.torch import save_file

import wan_family_models as models
import wan_family_prompts as prompts
from resize import crop_center
from sampling_windows import Cache, freenoise, weights as window_weights, windows
from wan_e2e import OUT, simple, weighted_runs
from wan_sampling import MEAN, STD

FAMILY = OUT / "family"


# ---------------------------------------------------------------- pictures


def pictures():
    """Slopes, edges and a little noise; sides that are not those of the video."""
    generator = np.random.default_rng(61)
    for name, (width, height), phase in [("start", (96, 64), 0.0), ("pose-a", (64, 64), 1.0), ("pose-b", (64, 64), 2.2),
                                         ("view-a", (80, 64), 3.1), ("view-b", (80, 64), 4.4)]:
        y, x, c = np.meshgrid(np.arange(height), np.arange(width), np.arange(3), indexing="ij")
        values = 128 + 70 * np.sin(x / 11 + phase + c) + 40 * np.cos(y / 7 - phase * c) + 15 * generator.standard_normal(x.shape)
        values[height // 3 : height // 2, int(width * 0.3 + phase * 4) : int(width * 0.5 + phase * 4)] = [230, 40, 90]
        Image.fromarray(values.clip(0, 255).astype(np.uint8)).save(FAMILY / "input" / f"{name}.png")


def load(name):
    """`[1, height, width, 3]`, 0 to 1."""
    return torch.from_numpy(np.asarray(Image.open(FAMILY / "input" / f"{name}.png")).astype(np.float32) / 255.0)[None]


def upscale(image, width, height, method):
    return F.interpolate(crop_center(image.movedim(-1, 1), width, height), (height, width), mode=method).movedim(1, -1)


def encode(vae, image):
    """Raw latent of a film `[frames, height, width, 3]`."""
    return vae.encode((image * 2.0 - 1.0).movedim(-1, 0)[None]).latent_dist.mean


def channels(values):
    return torch.tensor(values).view(1, -1, 1, 1, 1)


def statistics(raw):
    return [channels(it) for it in ((MEAN, STD) if raw.shape[1] == 16 else (models.MEAN22, models.STD22))]


def process_in(raw):
    mean, std = statistics(raw)
    return (raw - mean) / std


def process_out(latent):
    mean, std = statistics(latent)
    return latent * std + mean


# ---------------------------------------------------------------- sampling


class Schedule:
    """Sigmas, what the network is told for each, and where a share of the schedule lies."""

    def __init__(self, scheduler, steps, shift):
        self.shift = shift
        if scheduler == "wan_unipc":
            raw = np.linspace(torch.tensor(0.999).item(), 0, steps + 1)[:steps]
            sigmas = shift * raw / (1 + (shift - 1) * raw)
            self.times = [float(int(it * 1000)) for it in sigmas]
            self.sigmas = torch.from_numpy(np.append(sigmas, 0).astype(np.float32))
        else:
            self.sigmas = simple(steps, shift)
            self.times = [float(it * 1000) for it in self.sigmas]

    def at(self, percent):
        if percent <= 0.0 or percent >= 1.0:
            return float(percent <= 0.0)
        return self.shift * (1 - percent) / (1 + (self.shift - 1) * (1 - percent))

    def within(self, step, start, end):
        return self.at(end) <= float(self.sigmas[step]) <= self.at(start)


def euler(velocity, x, schedule):
    sigmas = schedule.sigmas
    for i in range(len(sigmas) - 1):
        x0 = x - sigmas[i] * velocity(x, i)
        x = x + (x - x0) / sigmas[i] * (sigmas[i + 1] - sigmas[i])
    return x


def wan_unipc(velocity, x, schedule):
    steps = len(schedule.sigmas) - 1
    scheduler = UniPCMultistepScheduler(prediction_type="flow_prediction", use_flow_sigmas=True, solver_order=2,
                                        solver_type="bh2", lower_order_final=True, final_sigmas_type="zero")
    scheduler.set_timesteps(steps)
    scheduler.sigmas, scheduler.timesteps = schedule.sigmas.clone(), torch.arange(steps, 0, -1)
    scheduler.set_begin_index(0)
    for i, t in enumerate(scheduler.timesteps):
        x = scheduler.step(velocity(x, i), t, x).prev_sample
    return x


SOLVERS = dict(euler=euler, wan_unipc=wan_unipc)


def guided(network, cfg):
    """`network(x, step, side)`; `cfg(step)`."""

    def velocity(x, step):
        cond, uncond = network(x, step, "positive"), network(x, step, "negative")
        return uncond + (cond - uncond) * cfg(step)

    return velocity


def noise_of(shape, seed):
    return torch.randn(shape, generator=torch.Generator("cpu").manual_seed(seed))


def run(node, velocity, schedule, shape, start=None, noise=None):
    noise = noise_of(shape, node["seed"]) if noise is None else noise
    start = torch.zeros(shape) if start is None else start
    x = schedule.sigmas[0] * noise + (1.0 - schedule.sigmas[0]) * start
    return process_out(SOLVERS[node["sampler_name"]](velocity, x, schedule))


# ---------------------------------------------------------------- chains


class Chains:
    def __init__(self):
        self.goldens, self.encode_text = {}, models.text_encoder()
        self.vae = models.vae21()
        self.tiny = models.wan_tiny()
        self.experts = [models.dit(f"wan22_i2v_{name}_tiny.safetensors", models.I2V, seed)
                        for name, seed in (("high", 62), ("low", 63))]
        self.i2v = models.dit("wan21_i2v_tiny.safetensors", models.I2V_CLIP, 64)
        self.ti2v = models.dit("wan22_ti2v_tiny.safetensors", models.TI2V, 65)
        self.vae22, self.see, self.scail, self.control = models.vae22(), models.vision(), models.scail(), models.control()

    def texts(self, prompt):
        nodes = [it for it in prompt.values() if it["class_type"] == "CLIPTextEncode"]
        rows = {it["_meta"]["title"].lower(): self.encode_text(weighted_runs(it["inputs"]["text"])) for it in nodes}
        return rows

    def keep(self, name, latent, vae=None):
        self.goldens[f"{name}.latent"] = latent.contiguous()
        note = f"{name:24} latent std {latent.std():.3f}"
        if vae is not None:
            frames = vae.decode(latent).sample[0]
            share = (frames.abs() >= 1).float().mean().item()
            note += f", frames std {frames.std():.3f}, clamped {share:.4f}"
            assert share < 0.05, f"{name}: the clamp hides errors"
            image = ((frames + 1.0) / 2.0).clamp(0, 1)
            self.goldens[f"{name}.frames"] = (255.0 * image).to(torch.uint8).permute(1, 2, 3, 0).contiguous()
        print(note)

    def picture_condition(self, node):
        """Mask and latent `[1, 20, F, h, w]` of WanImageToVideo."""
        film = torch.full((node["length"], node["height"], node["width"], 3), 0.5)
        film[:1] = upscale(load("start"), node["width"], node["height"], "bilinear")
        latent = process_in(encode(self.vae, film))
        mask = torch.zeros(1, 4, *latent.shape[2:])
        mask[:, :, 0] = 1.0
        return torch.cat([mask, latent], 1)

    def i2v_experts(self):
        prompt, nodes = prompts.of(prompts.EXPERTS)
        node, rows = nodes["WanExpertSampler"], self.texts(prompt)
        beside = self.picture_condition(nodes["WanImageToVideo"])
        for solver, scheduler in (("euler", "simple"), ("wan_unipc", "wan_unipc")):
            schedule = Schedule(scheduler, node["steps"], node["shift"])
            high = [t >= node["boundary"] * 1000 for t in schedule.times[: node["steps"]]]
            assert 2 <= sum(high) <= node["steps"] - 2, high
            network = lambda x, i, side: self.experts[0 if high[i] else 1](
                torch.cat([x, beside], 1), torch.tensor([schedule.times[i]]), rows[side], return_dict=False)[0]
            velocity = guided(network, lambda i: node["cfg_high" if high[i] else "cfg_low"])
            shape = (1, 16, *beside.shape[2:])
            self.keep(f"experts.{solver}", run(node | dict(sampler_name=solver), velocity, schedule, shape), self.vae)

    def i2v_clip(self):
        prompt, nodes = prompts.of(prompts.CLIP)
        node, rows = nodes["KSampler"], self.texts(prompt)
        beside, seen = self.picture_condition(nodes["WanImageToVideo"]), self.see(load("start"))
        schedule = Schedule(node["scheduler"], node["steps"], nodes["ModelSamplingSD3"]["shift"])
        network = lambda x, i, side: self.i2v(
            torch.cat([x, beside], 1), torch.tensor([schedule.times[i]]), rows[side], seen, return_dict=False)[0]
        shape = (1, 16, *beside.shape[2:])
        self.keep("clip", run(node, guided(network, lambda _: node["cfg"]), schedule, shape), self.vae)

    def ti2v_5b(self):
        prompt, nodes = prompts.of(prompts.TI2V)
        node, rows, size = nodes["KSampler"], self.texts(prompt), nodes["Wan22ImageToVideoLatent"]
        known = encode(self.vae22, upscale(load("start"), size["width"], size["height"], "bilinear"))
        shape = (1, 48, (size["length"] - 1) // 4 + 1, size["height"] // 16, size["width"] // 16)
        start, mask = torch.zeros(shape), torch.ones(1, 1, *shape[2:])
        start[:, :, :1], mask[:, :, :1] = process_in(known), 0.0
        schedule = Schedule(node["scheduler"], node["steps"], nodes["ModelSamplingSD3"]["shift"])
        made = mask.mean((1, 3, 4))[0]
        tokens = (shape[3] // 2) * (shape[4] // 2)

        def network(x, i, side):
            times = (made * schedule.times[i]).repeat_interleave(tokens)[None]
            return self.ti2v(x, times, rows[side], return_dict=False)[0]

        def velocity(x, i):
            """KSamplerX0Inpaint: clean where it is kept on the way in, and again on the way out."""
            shown = x * mask + start * (1 - mask)
            x0 = shown - schedule.sigmas[i] * guided(network, lambda _: node["cfg"])(shown, i)
            return (x - (x0 * mask + start * (1 - mask))) / schedule.sigmas[i]

        self.keep("ti2v", run(node, velocity, schedule, shape, start), self.vae22)

    def scail_uni3c(self):
        prompt, nodes = prompts.of(prompts.SCAIL)
        node, rows, size, net = (nodes["KSampler"], self.texts(prompt), nodes["WanSCAILToVideo"],
                                 nodes["ControlNetApplyAdvanced"])
        width, height = size["width"], size["height"]
        film = lambda name: torch.cat([load(f"{name}-a").expand(5, -1, -1, -1), load(f"{name}-b").expand(4, -1, -1, -1)])
        clean = lambda latent: torch.cat([latent, torch.ones_like(latent[:, :4])], 1).double()
        pose = encode(self.vae, upscale(film("pose"), width // 2, height // 2, "area")) * size["pose_strength"]
        reference = encode(self.vae, upscale(load("start"), width, height, "bicubic"))
        render = process_in(encode(self.vae, upscale(film("view"), width, height, "bilinear")))
        pose, reference, seen = clean(process_in(pose)), clean(process_in(reference)), self.see(load("start")).double()
        shape = (1, 16, (size["length"] - 1) // 4 + 1, height // 8, width // 8)
        schedule = Schedule(node["scheduler"], node["steps"], nodes["ModelSamplingSD3"]["shift"])
        posed, controlled = [], []

        def network(x, i, side):
            times = torch.tensor([schedule.times[i]]).double()
            taken = torch.cat([x, torch.zeros_like(x[:, :4])], 1)
            how = {}
            if schedule.within(i, size["pose_start"], size["pose_end"]):
                how["pose"] = pose
                posed.append(i)
            if schedule.within(i, net["start_percent"], net["end_percent"]):
                residuals = self.control(taken, render, self.embedded(times))
                how["residuals"] = list(residuals.double() * net["strength"])
                controlled.append(i)
            return self.scail.forward(taken.double(), times, rows[side].double(), seen, reference, **how)[0].float()

        latent = run(node, guided(network, lambda _: node["cfg"]), schedule, shape)
        assert 0 < len(set(controlled)) < len(set(posed)) < node["steps"], (posed, controlled)
        self.keep("scail", latent, self.vae)

    def embedded(self, times):
        """SCAIL's time embedding before its six parts, `[1, 1, width]`."""
        half = models.wan_scail.FREQ // 2
        angles = times[:, None] * 10000 ** (-torch.arange(half).double() / half)
        e = torch.cat([angles.cos(), angles.sin()], 1)
        return self.scail.linear("time_embedding.2", F.silu(self.scail.linear("time_embedding.0", e)))[:, None].float()

    def text_to_video(self, name, prompt, wrap=lambda network, **_: network, model=None, noise=None):
        prompt, nodes = prompts.of(prompt)
        node, rows, size = nodes["KSampler"], self.texts(prompt), nodes["EmptyHunyuanLatentVideo"]
        shape = (1, 16, (size["length"] - 1) // 4 + 1, size["height"] // 8, size["width"] // 8)
        schedule = Schedule(node["scheduler"], node["steps"], nodes["ModelSamplingSD3"]["shift"])
        model = model or self.tiny
        plain = lambda x, i, side: model(x, torch.tensor([schedule.times[i]]), rows[side], return_dict=False)[0]
        network = wrap(plain, schedule=schedule, nodes=nodes)
        noise = noise(noise_of(shape, node["seed"]), node["seed"], nodes) if noise else None
        self.keep(name, run(node, guided(network, lambda _: node["cfg"]), schedule, shape, noise=noise))

    def with_lora(self):
        strength = prompts.of(prompts.LORA)[1]["LoraLoaderModelOnly"]["strength_model"]
        self.text_to_video("lora", prompts.LORA, model=models.lora(models.wan_tiny(), strength))

    def in_windows(self):
        def units(nodes):
            node = nodes["WanContextWindowsManual"]
            return [max((node[it] - 1) // 4 + 1, 0) for it in ("context_length", "context_overlap")]

        def noise(values, seed, nodes):
            return freenoise(values[0], *units(nodes), seed)[None]

        for name, kind in (("static", "standard_static"), ("uniform", "standard_uniform")):

            def wrap(plain, nodes, **_):
                length, overlap = units(nodes)

                def network(x, i, side):
                    total, counts = torch.zeros_like(x), torch.zeros(1, 1, x.shape[2], 1, 1)
                    for frames in windows(kind, x.shape[2], length, overlap, 1, i, False):
                        weight = window_weights("pyramid", frames, x.shape[2], overlap).view(1, 1, -1, 1, 1)
                        total[:, :, frames] += plain(x[:, :, frames], i, side) * weight
                        counts[:, :, frames] += weight
                    return total / counts

                return network

            self.text_to_video(f"windows.{name}", prompts.WINDOWS, wrap, noise=noise)

    def with_cache(self):
        skipped = []

        def wrap(plain, schedule, nodes):
            node = nodes["EasyCache"]
            cache = Cache(node["reuse_threshold"], schedule.shift, False)
            cache.start, cache.end = schedule.at(node["start_percent"]), schedule.at(node["end_percent"])

            def network(x, i, side):
                k = 0 if side == "positive" else 1
                if k == 0:
                    cache.skip = False
                out, reused = cache(x, float(schedule.sigmas[i]), k, lambda: plain(x, i, side))
                skipped.append(reused)
                return out

            return network

        self.text_to_video("cache", prompts.CACHE, wrap)
        assert 0 < sum(skipped) < len(skipped) * 0.8, skipped
        print(f"{'':24} {sum(skipped)} of {len(skipped)} left out")


@torch.no_grad()
def main():
    torch.set_num_threads(1)
    (FAMILY / "input").mkdir(parents=True, exist_ok=True)
    pictures()
    for name, prompt in prompts.ALL.items():
        (FAMILY / f"{name}.json").write_text(json.dumps(prompt, indent=1, ensure_ascii=False) + "\n")
    chains = Chains()
    chains.i2v_experts()
    chains.i2v_clip()
    chains.ti2v_5b()
    chains.scail_uni3c()
    chains.with_lora()
    chains.in_windows()
    chains.with_cache()
    save_file(chains.goldens, FAMILY / "goldens.safetensors")
    for path in sorted(OUT.rglob("*.safetensors")):
        print(f"{path.stat().st_size:>9}  {path.relative_to(OUT)}")


if __name__ == "__main__":
    main()
