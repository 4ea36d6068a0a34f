"""A whole sampling run of the tiny Wan DiT, as ComfyUI's KSampler would do it.

Run from the repository root, after wan_dit.py:  /opt/ref/bin/python tests/reference/wan_sampling.py
Writes tests/data/dit/sampling.safetensors.

The network is diffusers' (float32); around it stands a restatement of ComfyUI's chain, read in
comfy/{samplers,model_sampling,latent_formats,sample}.py, comfy/k_diffusion/sampling.py and
comfy/extra_samplers/uni_pc.py (2026). Details that change the numbers:

* shift 8 over a table of 1000 sigmas in float32; `simple` picks from the end of that table;
  the network gets 1000*sigma, unrounded.
* `uni_pc` asks the scheduler for one step more and drops the sigma before the last.
* `uni_pc` replaces the final 0 by 0.001 in the very tensor that its caller holds, so the caller's
  inverse noise scaling divides the result by 1 - 0.001.
* An all-zero latent does not go through the latent format on the way in; the result does on the
  way out, so a saved latent is raw (not normalised).
"""

from pathlib import Path

import torch
from diffusers import WanTransformer3DModel
from safetensors.torch import load_file, save_file

from wan_dit import OUT, TINY

STEPS, CFG, SHIFT, SEED = 6, 4.0, 8.0, 1234567890123
SHAPE = (1, 16, 3, 6, 10)

# Wan 2.1 VAE statistics per channel (comfy/latent_formats.py, Wan21).
MEAN = [-0.7571, -0.7089, -0.9113, 0.1075, -0.1745, 0.9653, -0.1517, 1.5508,
        0.4134, -0.0715, 0.5517, -0.3632, -0.1922, -0.9497, 0.2503, -0.2921]
STD = [2.8184, 1.4541, 2.3275, 2.6558, 1.2196, 1.7708, 2.6052, 2.0743,
       3.2687, 2.1526, 2.8652, 1.5579, 1.6382, 1.1253, 2.8251, 1.9160]


def channels(values):
    return torch.tensor(values).view(1, 16, 1, 1, 1)


def process_in(raw):
    return (raw - channels(MEAN)) / channels(STD)


def process_out(latent):
    return latent * channels(STD) + channels(MEAN)


def sigma_table():
    t = torch.arange(1, 1001) / 1000
    return SHIFT * t / (1 + (SHIFT - 1) * t)


def simple(steps):
    table = sigma_table()
    picked = [float(table[-(1 + int(i * (len(table) / steps)))]) for i in range(steps)]
    return torch.tensor(picked + [0.0])


def denoiser(model, positive, negative):
    """x0 prediction with classifier-free guidance; sigma is a float32 scalar tensor."""

    @torch.no_grad()
    def denoise(x, sigma):
        timestep = (sigma * 1000).expand(x.shape[0])
        cond = x - model(x, timestep, positive, return_dict=False)[0] * sigma
        uncond = x - model(x, timestep, negative, return_dict=False)[0] * sigma
        return uncond + (cond - uncond) * CFG

    return denoise


def euler(denoise, x, sigmas):
    for now, then in zip(sigmas[:-1], sigmas[1:]):
        slope = (x - denoise(x, now)) / now
        x = x + slope * (then - now)
    return x


class VarianceExploding:
    """alpha, std and log SNR of sigma in float32, written as ComfyUI's SigmaConvert has them."""

    @staticmethod
    def log_alpha(sigma):
        return 0.5 * torch.log(1 / (sigma * sigma + 1))

    @classmethod
    def alpha(cls, sigma):
        return torch.exp(cls.log_alpha(sigma))

    @classmethod
    def std(cls, sigma):
        return torch.sqrt(1.0 - torch.exp(2.0 * cls.log_alpha(sigma)))

    @classmethod
    def half_log_snr(cls, sigma):
        return cls.log_alpha(sigma) - 0.5 * torch.log(1.0 - torch.exp(2.0 * cls.log_alpha(sigma)))


def unipc_move(predict, x, history, sigma, order, correct):
    """One predictor-corrector move to `sigma`. `history` holds (sigma, x0), newest last."""
    ve = VarianceExploding
    last_sigma, last = history[-1]
    h = ve.half_log_snr(sigma) - ve.half_log_snr(last_sigma)
    hh = -h
    ratios, slopes = [], []
    for old_sigma, old in history[-2 : -order - 1 : -1]:
        ratio = (ve.half_log_snr(old_sigma) - ve.half_log_snr(last_sigma)) / h
        ratios.append(ratio)
        slopes.append((old - last) / ratio)
    ratios = torch.stack(ratios + [torch.tensor(1.0)])

    rows, right = [], []
    hh64 = hh.double()
    phi, factorial = torch.expm1(hh64) / hh64 - 1, 1
    for power in range(1, order + 1):
        rows.append(ratios ** (power - 1))
        right.append(phi * factorial / hh64)  # bh1: B(h) = h
        factorial *= power + 1
        phi = phi / hh64 - 1 / factorial
    rows, right = torch.stack(rows), torch.stack(right).float()

    base = ve.std(sigma) / ve.std(last_sigma) * x - ve.alpha(sigma) * torch.expm1(hh) * last
    gain = ve.alpha(sigma) * hh

    if order == 1:
        weights = []
    elif order == 2:
        weights = [torch.tensor(0.5)]
    else:
        weights = torch.linalg.solve(rows[:-1, :-1], right[:-1])
    predicted = base - gain * sum((w * d for w, d in zip(weights, slopes)), torch.tensor(0.0))
    if not correct:
        return predicted, None

    fresh = predict(predicted, sigma)
    weights = torch.tensor([0.5]) if order == 1 else torch.linalg.solve(rows, right)
    residual = sum((w * d for w, d in zip(weights, slopes)), torch.tensor(0.0))
    return base - gain * (residual + weights[-1] * (fresh - last)), fresh


def uni_pc(denoise, x, sigmas):
    """`sigmas[-1]` is changed in place when it is 0: the caller sees it (see the top)."""
    ve = VarianceExploding
    if sigmas[-1] == 0:
        sigmas[-1] = 0.001
    steps = len(sigmas) - 1
    max_order = min(3, steps - 1)

    def predict(scaled, sigma):
        """Through the noise prediction and back, as ComfyUI's wrappers do."""
        unscaled = scaled * (sigma**2 + 1.0) ** 0.5
        noise = (unscaled - denoise(unscaled, sigma)) / sigma
        return (scaled - ve.std(sigma) * noise) / ve.alpha(sigma)

    x = x / torch.sqrt(1.0 + sigmas[0] ** 2.0)
    history = [(sigmas[0], predict(x, sigmas[0]))]
    for step in range(1, steps + 1):
        order = step if step < max_order else min(max_order, steps + 1 - step)
        x, fresh = unipc_move(predict, x, history, sigmas[step], order, correct=step < steps)
        history = (history + [(sigmas[step], fresh)])[-max_order:]
    return x / ve.alpha(sigmas[-1])


def sample(denoise, sampler, noise):
    if sampler is uni_pc:
        sigmas = simple(STEPS + 1)
        sigmas = torch.cat([sigmas[:-2], sigmas[-1:]])
    else:
        sigmas = simple(STEPS)
    empty = torch.zeros(SHAPE)
    x = sigmas[0] * noise + (1.0 - sigmas[0]) * empty
    schedule = sigmas.clone()
    x = sampler(denoise, x, sigmas)
    return schedule, process_out(x / (1.0 - sigmas[-1]))


def main():
    torch.set_num_threads(1)
    model = WanTransformer3DModel(**TINY).eval()
    model.load_state_dict(load_file(OUT / "tiny_diffusers" / "diffusion_pytorch_model.safetensors"))
    conditions = torch.Generator().manual_seed(41)
    positive = torch.randn(1, 512, TINY["text_dim"], generator=conditions)
    negative = torch.randn(1, 512, TINY["text_dim"], generator=conditions)
    noise = torch.randn(SHAPE, generator=torch.Generator("cpu").manual_seed(SEED))
    denoise = denoiser(model, positive, negative)

    tensors = dict(positive=positive, negative=negative, noise=noise)
    for name, sampler in dict(euler=euler, uni_pc=uni_pc).items():
        tensors[f"{name}.sigmas"], tensors[f"{name}.latent"] = sample(denoise, sampler, noise.clone())
        print(name, tensors[f"{name}.sigmas"].tolist(), tensors[f"{name}.latent"].std().item())
    metadata = dict(seed=str(SEED), steps=str(STEPS), cfg=str(CFG), shift=str(SHIFT), scheduler="simple")
    save_file(tensors, OUT / "sampling.safetensors", metadata=metadata)


if __name__ == "__main__":
    main()
