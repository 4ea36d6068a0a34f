#!/usr/bin/env python3
"""Reference values for engine/sampling, from PyTorch, SciPy, k-diffusion and diffusers.

    python tests/reference/sampling.py [--k-diffusion DIR]      # writes tests/data/sampling/*

Needs: torch, numpy, scipy, diffusers; made with torch 2.15, scipy 1.17, diffusers 0.42 on x86-64.
DIR is where `pip install --no-deps --target DIR k-diffusion==0.1.1.post1` put the package; its
`sampling` module alone is used, for the solvers that ComfyUI took over unchanged.

What comes from where:
- noise: torch.randn on a CPU generator.
- schedules: ComfyUI's formulas restated below on PyTorch tensors; beta from scipy; karras and
  exponential from k-diffusion.
- euler, heun, dpmpp_2m: k-diffusion. wan_unipc, wan_dpmpp: diffusers' schedulers, given Wan's sigmas.
- lcm, euler_ancestral, res_multistep, uni_pc, uni_pc_bh2: ComfyUI's formulas restated below.
- the SDE solvers, sa_solver, er_sde, deis, ipndm, gradient_estimation: restated in sampling_sde.py,
  with the noise of torchsde 0.2.6 itself (see --torchsde there).
"""

import argparse
import importlib.util
import json
import math
import sys
import types
from pathlib import Path

import numpy as np
import scipy.stats
import torch
from diffusers import DPMSolverMultistepScheduler, UniPCMultistepScheduler

import sampling_sde
from sampling_sde import percent_to_sigma  # noqa: F401, for sampling_windows.py

OUT = Path(__file__).resolve().parents[1] / "data" / "sampling"
N = 48  # elements of the toy latent


def load_k_diffusion(folder):
    """k_diffusion/sampling.py without the rest of the package and without its SDE libraries."""
    utils = types.ModuleType("k_diffusion.utils")
    utils.append_dims = lambda x, dims: x[(...,) + (None,) * (dims - x.ndim)]
    package = types.ModuleType("k_diffusion")
    package.__path__ = []
    package.utils = utils
    torchdiffeq = types.ModuleType("torchdiffeq")
    torchdiffeq.odeint = None
    for name, module in {
        "k_diffusion": package,
        "k_diffusion.utils": utils,
        "torchsde": types.ModuleType("torchsde"),
        "torchdiffeq": torchdiffeq,
    }.items():
        sys.modules[name] = module
    path = Path(folder) / "k_diffusion" / "sampling.py"
    spec = importlib.util.spec_from_file_location("k_diffusion.sampling", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


# ---------------------------------------------------------------- noise


def noise_golden():
    cases = []
    for seed in (0, 42, 123456789012, 2**64 - 1):
        for size in (1, 5, 15, 16, 17, 40, 7680):
            values = torch.randn(size, generator=torch.Generator().manual_seed(seed))
            bits = values.numpy().view(np.uint32).astype(np.uint64)
            cases.append({
                "seed": str(seed),
                "size": size,
                "values": floats(values[:40]),
                "last": floats(values[-16:]),
                "bits_sum": int(bits.sum() & 0xFFFFFFFF),
            })
    # One generator, several calls: the small form leaves a normal behind for the next small call.
    generator = torch.Generator().manual_seed(42)
    calls = [{"size": n, "values": floats(torch.randn(n, generator=generator))} for n in (3, 16, 1, 40, 5, 17)]
    write("noise.json", {"cases": cases, "calls": {"seed": "42", "calls": calls}})


# ---------------------------------------------------------------- schedules


def shifted(shift, t):
    return t if shift == 1.0 else shift * t / (1 + (shift - 1) * t)


class Flow:
    """ComfyUI's ModelSamplingDiscreteFlow."""

    def __init__(self, shift):
        self.shift = shift
        self.sigmas = self.sigma((torch.arange(1, 1001, 1) / 1000) * 1000)

    def sigma(self, timestep):
        return shifted(self.shift, timestep / 1000)

    def timestep(self, sigma):
        return sigma * 1000


def append_zero(values):
    return torch.tensor([float(v) for v in values] + [0.0])


def normal(flow, steps, sgm):
    start, end = flow.timestep(flow.sigmas[-1]), flow.timestep(flow.sigmas[0])
    if sgm:
        return append_zero(flow.sigma(t) for t in torch.linspace(start, end, steps + 1)[:-1])
    if math.isclose(float(flow.sigma(end)), 0, abs_tol=0.00001):
        return torch.tensor([float(flow.sigma(t)) for t in torch.linspace(start, end, steps + 1)])
    return append_zero(flow.sigma(t) for t in torch.linspace(start, end, steps))


def ddim_uniform(flow, steps):
    in_table = math.isclose(float(flow.sigmas[1]), 0, abs_tol=0.00001)
    stride = max(1000 // (steps + in_table), 1)
    picks = [float(s) for s in flow.sigmas[1::stride]][::-1]
    return torch.tensor(picks if in_table else picks + [0.0])


def beta(flow, steps):
    quantiles = scipy.stats.beta.ppf(1 - np.linspace(0, 1, steps, endpoint=False), 0.6, 0.6)
    picks = [int(t) for t in np.rint(quantiles * 999)]
    return append_zero(flow.sigmas[t] for i, t in enumerate(picks) if i == 0 or t != picks[i - 1])


def linear_quadratic(flow, steps):
    if steps == 1:
        done = [0.0, 1.0]
    else:
        lin = steps // 2
        quad = steps - lin
        diff = lin - 0.025 * steps
        a = diff / (lin * quad**2)
        b = 0.025 / lin - 2 * diff / quad**2
        done = [i * 0.025 / lin for i in range(lin)]
        done += [a * i**2 + b * i + a * lin**2 for i in range(lin, steps)] + [1.0]
    return torch.tensor([1.0 - d for d in done]) * flow.sigmas[-1]


def kl_optimal(flow, steps):
    low, high = (math.atan(float(flow.sigmas[i])) for i in (0, -1))
    down = torch.arange(steps, dtype=torch.float) / (steps - 1)
    return torch.cat([(down * low + (1 - down) * high).tan(), torch.zeros(1)])


def wan(top, steps, shift):
    raw = np.linspace(top, 0, steps + 1)[:steps]
    sigmas = shift * raw / (1 + (shift - 1) * raw)
    timesteps = torch.from_numpy(sigmas * 1000).to(torch.int64)
    return torch.from_numpy(np.append(sigmas, 0).astype(np.float32)), timesteps


def schedule(name, steps, shift):
    flow = Flow(shift)
    if name == "simple":
        return append_zero(flow.sigmas[-(1 + int(i * (1000 / steps)))] for i in range(steps))
    if name in ("karras", "exponential"):
        low, high = float(flow.sigmas[0]), float(flow.sigmas[-1])
        return getattr(K, "get_sigmas_" + name)(steps, low, high)
    if name in ("wan_unipc", "wan_dpmpp"):
        top = torch.tensor(0.999, dtype=torch.float32).item() if name == "wan_unipc" else 1.0
        return wan(top, steps, shift)[0]
    if name in ("normal", "sgm_uniform"):
        return normal(flow, steps, name == "sgm_uniform")
    return globals()[name](flow, steps)


def ksampler_sigmas(solver, scheduler, steps, shift, denoise=1.0, start=None, last=None, force=False):
    """KSampler.set_steps and the window of KSampler.sample."""

    def full(n):
        if solver in ("uni_pc", "uni_pc_bh2"):
            sigmas = schedule(scheduler, n + 1, shift)
            return torch.cat([sigmas[:-2], sigmas[-1:]])
        return schedule(scheduler, n, shift)

    sigmas = full(steps) if denoise > 0.9999 else full(int(steps / denoise))[-(steps + 1):]
    if last is not None and last < len(sigmas) - 1:
        sigmas = sigmas[: last + 1].clone()
        if force:
            sigmas[-1] = 0
    if start is not None:
        sigmas = sigmas[start:] if start < len(sigmas) - 1 else sigmas[:0]
    return sigmas


def schedules_golden():
    names = "simple sgm_uniform karras exponential ddim_uniform beta normal linear_quadratic kl_optimal".split()
    cases = []
    for name in names + ["wan_unipc", "wan_dpmpp"]:
        for steps, shift in ((1, 8.0), (4, 5.0), (7, 3.0), (20, 8.0), (33, 1.0), (50, 12.0)):
            if not (name == "kl_optimal" and steps == 1):  # 0 / 0 there
                cases.append(
                    {"scheduler": name, "steps": steps, "shift": shift, "sigmas": floats(schedule(name, steps, shift))}
                )
    timesteps = [
        {"scheduler": name, "steps": n, "shift": shift, "timesteps": wan(top, n, shift)[1].tolist()}
        for name, top in (("wan_unipc", torch.tensor(0.999).item()), ("wan_dpmpp", 1.0))
        for n, shift in ((4, 5.0), (8, 5.0), (10, 3.0), (40, 8.0), (50, 5.0), (50, 12.0))
    ]
    windows = []
    for solver in ("euler", "uni_pc"):
        for extra in (
            {"denoise": 0.6}, {"denoise": 0.33}, {"denoise": 0.9999}, {"start": 3}, {"last": 4}, {"start": 2, "last": 5},
            {"start": 2, "last": 5, "force": True}, {"start": 0, "last": 10000}, {"start": 9}, {"start": 6, "last": 6},
            {"start": 0, "last": 0},
        ):
            sigmas = ksampler_sigmas(solver, "simple", 8, 8.0, **extra)
            windows.append({"solver": solver, **extra, "sigmas": floats(sigmas if len(sigmas) > 1 else sigmas[:0])})
    write("schedules.json", {"cases": cases, "wan_timesteps": timesteps, "windows": windows})
    points = [1e-9, 1e-6, 1e-4, 1e-3, 0.005, 0.02, 0.05, 0.1, 1 / 6, 0.25, 1 / 3, 0.45, 0.4999, 0.5]
    points += [1 - p for p in reversed(points[2:-1])] + [1.0]
    lines = [f"{p!r} {float(scipy.stats.beta.ppf(p, 0.6, 0.6))!r}" for p in points]
    header = "# p and scipy.stats.beta.ppf(p, 0.6, 0.6); written by tests/reference/sampling.py"
    (OUT / "beta.txt").write_text("\n".join([header, *lines]) + "\n")


# ---------------------------------------------------------------- solvers


def toy(x, sigma):
    """A smooth nonlinear prediction that every side computes alike; see tests/goldens.rs."""
    i = torch.arange(x.numel(), dtype=torch.float32)
    a = 0.05 * (i % 7) - 0.15
    b = (i % 5) - 2
    return torch.tanh(0.7 * x + a) * (1 - 0.3 * sigma) + 0.2 * b


def lcm(x, sigmas, fresh):
    for i in range(len(sigmas) - 1):
        x = toy(x, sigmas[i])
        if sigmas[i + 1] > 0:
            x = sigmas[i + 1] * fresh() + (1 - sigmas[i + 1]) * x
    return x


def euler_ancestral(x, sigmas, fresh):
    for s, n in zip(sigmas[:-1], sigmas[1:]):
        x0 = toy(x, s)
        if n == 0:
            return x0
        down = n * (1 + (n / s - 1) * 1.0)
        renoise = (n**2 - down**2 * (1 - n) ** 2 / (1 - down) ** 2) ** 0.5
        x = (down / s) * x + (1 - down / s) * x0
        x = ((1 - n) / (1 - down)) * x + fresh() * renoise
    return x


def res_multistep(x, sigmas, _):
    old = None
    for i, (s, n) in enumerate(zip(sigmas[:-1], sigmas[1:])):
        x0 = toy(x, s)
        if n == 0 or old is None:
            x = x + (x - x0) / s * (n - s)
        else:
            h = s.log() - n.log()
            c2 = (s.log() - sigmas[i - 1].log()) / h
            phi1 = torch.expm1(-h) / -h
            phi2 = (phi1 - 1.0) / -h
            x = torch.exp(-h) * x + h * ((phi1 - phi2 / c2) * x0 + (phi2 / c2) * old)
        old = x0
    return x


class UniPC:
    """ComfyUI's comfy/extra_samplers/uni_pc.py with SigmaConvert and predict_x0."""

    def __init__(self, variant):
        self.variant = variant

    @staticmethod
    def log_alpha(s):
        return 0.5 * torch.log(1 / (s * s + 1))

    def alpha(self, s):
        return torch.exp(self.log_alpha(s))

    def std(self, s):
        return torch.sqrt(1.0 - torch.exp(2.0 * self.log_alpha(s)))

    def lam(self, s):
        return self.log_alpha(s) - 0.5 * torch.log(1.0 - torch.exp(2.0 * self.log_alpha(s)))

    def x0(self, x, s):
        wide = x * ((s**2 + 1.0) ** 0.5)
        eps = (wide - toy(wide, s)) / s
        return (x - self.std(s) * eps) / self.alpha(s)

    def step(self, x, past, t, order, correct):
        """`past` is [(sigma, x0)], newest last; returns the new x and, when correcting, its x0."""
        s0, m0 = past[-1]
        h = self.lam(t) - self.lam(s0)
        ratios = [(self.lam(s) - self.lam(s0)) / h for s, _ in past[-order:-1][::-1]]
        slopes = [(m - m0) / r for r, (_, m) in zip(ratios, past[-order:-1][::-1])]
        nodes = torch.tensor([float(r) for r in ratios] + [1.0])
        hh = (-h).double()
        big = hh if self.variant == "bh1" else torch.expm1(hh)
        phi, fact, rows, right = torch.expm1(hh) / hh - 1, 1, [], []
        for k in range(1, order + 1):
            rows.append(nodes ** (k - 1))
            right.append(phi * fact / big)
            fact *= k + 1
            phi = phi / hh - 1 / fact
        rows, right = torch.stack(rows), torch.tensor([float(r) for r in right])
        big = -h if self.variant == "bh1" else torch.expm1(-h)
        base = self.std(t) / self.std(s0) * x - self.alpha(t) * torch.expm1(-h) * m0
        rho = torch.tensor([0.5]) if order == 2 else torch.linalg.solve(rows[:-1, :-1], right[:-1])
        predicted = base - self.alpha(t) * big * sum(r * d for r, d in zip(rho, slopes))
        if not correct:
            return predicted, None
        m = self.x0(predicted, t)
        rho = torch.tensor([0.5]) if order == 1 else torch.linalg.solve(rows, right)
        bend = sum(r * d for r, d in zip(rho, slopes)) + rho[-1] * (m - m0)
        return base - self.alpha(t) * big * bend, m

    def __call__(self, x, sigmas, _):
        if sigmas[-1] == 0:
            sigmas[-1] = 0.001  # in the caller's list, as ComfyUI does
        steps = len(sigmas) - 1
        order = min(3, steps - 1)
        x = x / torch.sqrt(1.0 + sigmas[0] ** 2.0)
        past = [(sigmas[0], self.x0(x, sigmas[0]))]
        for i in range(1, steps + 1):
            p = i if i < order else min(order, steps + 1 - i)
            x, m = self.step(x, past, sigmas[i], p, i < steps)
            past = (past + [(sigmas[i], m)])[-3:]
        return x / self.alpha(sigmas[-1])


def with_k_diffusion(name):
    def run(x, sigmas, _):
        return getattr(K, "sample_" + name)(lambda x, s, **_: toy(x[0], s[0])[None], x[None], sigmas, disable=True)[0]

    return run


def with_diffusers(cls, **config):
    def run(x, sigmas, _):
        steps = len(sigmas) - 1
        # The order drops at the end because the end is at sigma 0; a window that stops before keeps it.
        to_zero = bool(sigmas[-1] == 0)
        scheduler = cls(
            prediction_type="flow_prediction",
            use_flow_sigmas=True,
            solver_order=2,
            lower_order_final=to_zero,
            final_sigmas_type="zero" if to_zero else "sigma_min",
            **config,
        )
        scheduler.set_timesteps(steps)
        scheduler.sigmas = sigmas.clone()
        scheduler.timesteps = torch.arange(steps, 0, -1)
        scheduler.set_begin_index(0)
        for i, t in enumerate(scheduler.timesteps):
            velocity = (x - toy(x, sigmas[i])) / sigmas[i]
            x = scheduler.step(velocity[None, None], t, x[None, None]).prev_sample[0, 0]
        return x

    return run


def check_uni_pc_against_diffusers():
    """diffusers has the same solver in the same frame (alpha = 1 / sqrt(1 + sigma^2)), so it checks the
    restatement above; not to the last digit, as it does not lose the last sigma's digits."""
    for variant in ("bh1", "bh2"):
        for steps in (4, 7, 20):
            sigmas = ksampler_sigmas("uni_pc", "simple", steps, 8.0).clone()
            sigmas[-1] = 0.001
            x = torch.randn(N, generator=torch.Generator().manual_seed(7))
            ours = UniPC(variant)(x, sigmas.clone(), None)
            scheduler = UniPCMultistepScheduler(solver_order=3, solver_type=variant, prediction_type="sample")
            scheduler.set_timesteps(steps)
            scheduler.sigmas, scheduler.timesteps = sigmas.clone(), torch.arange(steps, 0, -1)
            scheduler.set_begin_index(0)
            x = x / torch.sqrt(1 + sigmas[0] ** 2)
            for i, t in enumerate(scheduler.timesteps):
                x0 = toy(x * torch.sqrt(1 + sigmas[i] ** 2), sigmas[i])
                x = scheduler.step(x0[None, None], t, x[None, None]).prev_sample[0, 0]
            theirs = x * torch.sqrt(1 + sigmas[-1] ** 2)
            error = float((ours - theirs).norm() / theirs.norm())
            print(f"uni_pc {variant} {steps} steps, relative L2 to diffusers: {error:.1e}")
            assert error < 3e-4


def solvers():
    return {
        "euler": with_k_diffusion("euler"),
        "heun": with_k_diffusion("heun"),
        "dpmpp_2m": with_k_diffusion("dpmpp_2m"),
        "uni_pc": UniPC("bh1"),
        "uni_pc_bh2": UniPC("bh2"),
        "res_multistep": res_multistep,
        "lcm": lcm,
        "euler_ancestral": euler_ancestral,
        "wan_unipc": with_diffusers(UniPCMultistepScheduler, solver_type="bh2"),
        "wan_dpmpp": with_diffusers(DPMSolverMultistepScheduler, algorithm_type="dpmsolver++"),
        **sampling_sde.solvers(toy),
    }


def runs_golden():
    cases = []
    for name, solve in solvers().items():
        own = name.startswith("wan")
        first = name if own else "simple"
        plain = [{"scheduler": first, "steps": n, "shift": s} for n, s in ((4, 5.0), (6, 8.0), (20, 8.0), (50, 12.0))]
        part = [
            {"scheduler": first if own else "beta", "steps": 6, "shift": 5.0, "denoise": 0.6},
            {"scheduler": first if own else "normal", "steps": 20, "shift": 8.0, "start": 0, "last": 7},
            {"scheduler": first if own else "normal", "steps": 20, "shift": 8.0, "start": 7, "no_noise": True},
            {"scheduler": first if own else "karras", "steps": 8, "shift": 3.0, "start": 1, "last": 6, "force": True},
        ]
        for case in plain + part:
            window = {k: case[k] for k in ("denoise", "start", "last", "force") if k in case}
            sigmas = ksampler_sigmas(name, case["scheduler"], case["steps"], case["shift"], **window).clone()
            noise = torch.zeros(N) if case.get("no_noise") else torch.randn(N, generator=torch.Generator().manual_seed(7))
            fresh_from = torch.Generator().manual_seed(7 + 1)
            latent = torch.zeros(N) if case in plain else torch.sin(torch.arange(N, dtype=torch.float32))
            x = sigmas[0] * noise + (1.0 - sigmas[0]) * latent
            fresh = lambda: torch.randn(N, generator=fresh_from)
            if name in sampling_sde.NAMES:
                x = solve(x, sigmas, fresh, shift=case["shift"], seed=7)
            else:
                x = solve(x, sigmas, fresh)
            x = x / (1.0 - sigmas[-1])
            assert torch.isfinite(x).all(), (name, case)
            cases.append({"solver": name, **case, "from_latent": case not in plain, "out": floats(x)})
    write("runs.json", {"elements": N, "seed": 7, "cases": cases})


# ---------------------------------------------------------------- files


def floats(tensor):
    """Shortest decimals that read back as the same single-precision numbers."""
    return [float(str(v)) for v in np.asarray(tensor, dtype=np.float32)]


def write(name, value):
    groups = [f' "{key}": ' + (rows(item) if isinstance(item, list) else json.dumps(item)) for key, item in value.items()]
    (OUT / name).write_text("{\n" + ",\n".join(groups) + "\n}\n")


def rows(items):
    return "[\n  " + ",\n  ".join(json.dumps(item, separators=(",", ":")) for item in items) + "\n ]"


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--k-diffusion", default="/root/.cache/longtake/ref-k-diffusion")
    parser.add_argument("--torchsde", default="/root/.cache/longtake/ref-torchsde")
    args = parser.parse_args()
    K = load_k_diffusion(args.k_diffusion)
    sampling_sde.load_torchsde(args.torchsde)
    OUT.mkdir(parents=True, exist_ok=True)
    check_uni_pc_against_diffusers()
    noise_golden()
    write("brownian.json", sampling_sde.brownian_golden(floats))
    schedules_golden()
    runs_golden()
