"""The stochastic and multistep solvers of ComfyUI for a flow model, restated; used by sampling.py.

Source of the formulas: ComfyUI `comfy/k_diffusion/sampling.py`, `sa_solver.py`, `deis.py`. The Brownian
noise is torchsde's own: `pip install --no-deps --target DIR torchsde==0.2.6 trampoline==0.1.2`.

Where ComfyUI's single precision loses digits by cancelling (the weights of sa_solver, er_sde and deis),
weights are made in double here, as in the Rust. Run as a script, this file prints how far results are from
those of single precision:

    python tests/reference/sampling_sde.py
"""

import math
import sys
from functools import partial

import numpy as np
import torch

NAMES = (
    "dpmpp_sde dpmpp_2m_sde dpmpp_2m_sde_heun dpmpp_3m_sde ipndm deis gradient_estimation er_sde sa_solver"
    " sa_solver_pece ddim"
).split()
WIDE = torch.float64


def load_torchsde(folder):
    global torchsde
    sys.path.insert(0, str(folder))
    sys.modules.pop("torchsde", None)  # the stub that k-diffusion was loaded with
    import torchsde


# ---------------------------------------------------------------- noise


class Path:
    """BrownianTreeNoiseSampler on the CPU."""

    def __init__(self, x, sigmas, seed):
        low, high = sigmas[sigmas > 0].min(), sigmas.max()
        self.tree = torchsde.BrownianTree(low, torch.zeros_like(x), high, entropy=seed) if low < high else None

    def __call__(self, s, t):
        a, b = min(s, t), max(s, t)
        w = self.tree(a, b) * (1 if s < t else -1)
        return w / (t - s).abs().sqrt()


def brownian_golden(floats):
    """Unit noise along paths, asked in this order."""
    cases = []
    for seed, low, high, size in ((0, 0.29629629850387573, 1.0, 5), (2**40 + 17, 0.0078125, 0.9921875, 16),
                                  (42, 0.001, 0.75, 40)):
        x = torch.zeros(size)
        path = Path(x, torch.tensor([high, low, 0.0]), seed)
        asks = [(high, low), (0.7, 0.3), (0.7, 0.61803), (0.61803, 0.5), (0.5, 0.3333333), (high, 0.5)]
        if low == 0.0078125:
            asks += [(0.5, 0.25), (0.015625, 0.0078125)]  # ends that lie half way between two of six digits
        for s, t in asks:
            noise = path(torch.tensor(s), torch.tensor(t))
            cases.append({"seed": str(seed), "low": low, "high": high, "from": s, "to": t, "noise": floats(noise)})
    return {"cases": cases}


# ---------------------------------------------------------------- time


def percent_to_sigma(shift, percent):
    t = 1.0 - percent
    return t if shift == 1.0 else shift * t / (1 + (shift - 1) * t)


def lam(s):
    return s.logit().neg()


def offset(sigmas, shift):
    if sigmas[0] >= 1:
        sigmas = sigmas.clone()
        sigmas[0] = percent_to_sigma(shift, 1e-4)
    return sigmas


def ancestral(s, t, eta=1.0):
    up = min(t, eta * (t**2 * (s**2 - t**2) / s**2) ** 0.5)
    return (t**2 - up**2) ** 0.5, up


# ---------------------------------------------------------------- DPM++ SDE


def dpmpp_sde(toy, x, sigmas, fresh, shift, seed):
    path, sigmas = Path(x, sigmas, seed), offset(sigmas, shift)

    def towards(s, x, x0, there, sigma):
        here = lam(s)
        alpha = sigma * there.exp()
        down, up = ancestral(here.neg().exp(), there.neg().exp())
        h = down.log().neg() - here
        x = alpha / (s * here.exp()) * (-h).exp() * x - alpha * (-h).expm1() * x0
        return x + alpha * path(s, sigma) * up

    for s, t in zip(sigmas[:-1], sigmas[1:]):
        x0 = toy(x, s)
        if t == 0:
            return x0
        middle = lam(s) + 0.5 * (lam(t) - lam(s))
        half = middle.neg().sigmoid()
        x0 = toy(towards(s, x, x0, middle, half), half)
        x = towards(s, x, x0, lam(t), t)
    return x


def dpmpp_2m_sde(toy, x, sigmas, fresh, shift, seed, heun=False):
    path, sigmas = Path(x, sigmas, seed), offset(sigmas, shift)
    old = last = None
    for s, t in zip(sigmas[:-1], sigmas[1:]):
        x0 = toy(x, s)
        if t == 0:
            return x0
        h = lam(t) - lam(s)
        alpha = t * lam(t).exp()
        gain = (-2 * h).expm1().neg()
        x = t / s * (-h).exp() * x + alpha * gain * x0
        if old is not None:
            bend = alpha * (gain / (-2 * h) + 1) if heun else 0.5 * alpha * gain
            x = x + bend * (1 / (last / h)) * (x0 - old)
        x = x + path(s, t) * t * gain.sqrt()
        old, last = x0, h
    return x


def dpmpp_3m_sde(toy, x, sigmas, fresh, shift, seed):
    path, sigmas = Path(x, sigmas, seed), offset(sigmas, shift)
    x0s, hs = [], []
    for s, t in zip(sigmas[:-1], sigmas[1:]):
        x0 = toy(x, s)
        if t == 0:
            return x0
        h = lam(t) - lam(s)
        alpha, he = t * lam(t).exp(), 2 * h
        x = t / s * (-h).exp() * x + alpha * (-he).expm1().neg() * x0
        phi2 = he.neg().expm1() / he + 1
        if len(hs) >= 2:
            r0, r1 = hs[-1] / h, hs[-2] / h
            a, b = (x0 - x0s[-1]) / r0, (x0s[-1] - x0s[-2]) / r1
            x = x + alpha * phi2 * (a + (a - b) * r0 / (r0 + r1)) - alpha * (phi2 / he - 0.5) * ((a - b) / (r0 + r1))
        elif hs:
            x = x + alpha * phi2 * ((x0 - x0s[-1]) / (hs[-1] / h))
        x = x + path(s, t) * t * (-2 * h).expm1().neg().sqrt()
        x0s.append(x0)
        hs.append(h)
    return x


# ---------------------------------------------------------------- over slopes


def ipndm(toy, x, sigmas, fresh, shift, seed):
    weights = ([1], [3 / 2, -1 / 2], [23 / 12, -16 / 12, 5 / 12], [55 / 24, -59 / 24, 37 / 24, -9 / 24])
    ds = []
    for s, t in zip(sigmas[:-1], sigmas[1:]):
        x0 = toy(x, s)
        if t == 0:
            return x0
        ds = [(x - x0) / s] + ds[:3]
        x = x + (t - s) * sum(w * d for w, d in zip(weights[len(ds) - 1], ds))
    return x


def deis_weights(sigmas, i, order, dtype):
    """`get_deis_coeff_list` in `tab` mode, for step i; the time itself in single precision as there."""
    eps = 1e-3
    low = torch.log(torch.tensor(0.002) ** 2 + 1)
    high = torch.log(torch.tensor(80) ** 2 + 1)
    bd = 2 * (low / eps - high) / (eps - 1)
    b0 = high - 0.5 * bd
    times = ((b0**2 + 2 * bd * (sigmas**2 + 1).log()).sqrt() - b0) / bd
    b1 = (bd + b0).to(dtype)
    b0 = b0.to(dtype)
    cur, end = times[i].to(dtype), times[i + 1].to(dtype)
    taus = torch.linspace(float(cur), float(end), 10000, dtype=dtype)
    log_alpha = -0.5 * taus**2 * (b1 - b0) - taus * b0
    alpha = torch.exp(log_alpha)
    slope = -taus * (b1 - b0) - b0
    integrand = -0.5 * slope / torch.sqrt(alpha * (1 - alpha))
    prev = [times[i - k].to(dtype) for k in range(order)]
    out = []
    for j in range(order):
        poly = 1
        for k in range(order):
            if k != j:
                poly = poly * (taus - prev[k]) / (prev[j] - prev[k])
        out.append(float(torch.sum(integrand * poly) * ((end - cur) / 10000)))
    return out


def deis(toy, x, sigmas, fresh, shift, seed):
    ds = []
    for i, (s, t) in enumerate(zip(sigmas[:-1], sigmas[1:])):
        ds = [(x - toy(x, s)) / s] + ds[:2]
        order = 1 if t <= 0 else len(ds)
        if order == 1:
            x = x + (t - s) * ds[0]
        else:
            x = x + sum(w * d for w, d in zip(deis_weights(sigmas, i, order, WIDE), ds))
    return x


def gradient_estimation(toy, x, sigmas, fresh, shift, seed):
    old = None
    for s, t in zip(sigmas[:-1], sigmas[1:]):
        x0 = toy(x, s)
        if t == 0:
            return x0
        d = (x - x0) / s
        x = x + d * (t - s)
        if old is not None:
            x = x + (2.0 - 1) * (d - old) * (t - s)
        old = d
    return x


def ddim(toy, x, sigmas, fresh, shift, seed):
    """`ksampler("euler")` in ComfyUI."""
    for s, t in zip(sigmas[:-1], sigmas[1:]):
        x = x + (x - toy(x, s)) / s * (t - s)
    return x


# ---------------------------------------------------------------- ER-SDE


def er_sde(toy, x, sigmas, fresh, shift, seed):
    sigmas = offset(sigmas, shift)
    lams = lam(sigmas).neg().exp().to(WIDE)
    scaler = lambda t: t * ((t**0.3).exp() + 10.0)
    old = old_d = None
    for i, (s, t) in enumerate(zip(sigmas[:-1], sigmas[1:])):
        x0 = toy(x, s)
        if t == 0:
            return x0
        ls, lt = lams[i], lams[i + 1]
        alpha_s, alpha = s / ls, t / lt
        r = scaler(lt) / scaler(ls)
        new = (alpha / alpha_s * r).float() * x + (alpha * (1 - r)).float() * x0
        if i >= 1:
            dt = lt - ls
            step = -dt / 200.0
            pos = lt + torch.arange(0, 200.0, dtype=WIDE) * step
            integral = torch.sum(1 / scaler(pos)) * step
            d = (x0 - old) / (ls - lams[i - 1]).float()
            new = new + (alpha * (dt + integral * scaler(lt))).float() * d
            if i >= 2:
                integral = torch.sum((pos - ls) / scaler(pos)) * step
                u = (d - old_d) / ((ls - lams[i - 2]) / 2).float()
                new = new + (alpha * (dt**2 / 2 + integral * scaler(lt))).float() * u
            old_d = d
        new = new + (alpha * (lt**2 - ls**2 * r**2).sqrt().nan_to_num(nan=0.0)).float() * fresh()
        x, old = new, x0
    return x


# ---------------------------------------------------------------- SA-Solver


def adams(lams, s, t, tau, dtype):
    """`compute_stochastic_adams_b_coeffs` without alpha; lams oldest first."""
    lams, s, t = lams.to(dtype), s.to(dtype), t.to(dtype)
    n, m = len(lams), 1 + tau**2
    p = torch.arange(n, dtype=dtype)
    product = t**p - s**p * (-m * (t - s)).exp()
    rows = torch.zeros(n, n, dtype=dtype)
    for i in range(n):
        for k in range(i + 1):
            rows[i, k] = (-1) ** (i - k) * math.factorial(i) / math.factorial(k) / m ** (i - k)
    return torch.linalg.solve(torch.vander(lams, n, increasing=True).T, rows @ product).float()


def sa_solver(toy, x, sigmas, fresh, shift, seed, pece=False):
    sigmas = offset(sigmas, shift)
    lams, n = lam(sigmas), len(sigmas)
    first, last = percent_to_sigma(shift, 0.2), percent_to_sigma(shift, 0.8)
    tau_at = lambda sigma: 1.0 if first >= sigma.item() >= last else 0.0
    pred, preds, tau, h, noise = x, [], 0.0, 0.0, 0.0
    to_zero = sigmas[-1].item() == 0

    def move(i, order, tau, x):
        """From sigma i - 1 to sigma i with predictions at the last `order` sigmas known."""
        known = len_known
        b = adams(lams[known - order : known], lams[i - 1], lams[i], tau, WIDE) * (sigmas[i] * lams[i].exp())
        total = sum(w * p for w, p in zip(b, preds[-order:]))
        return sigmas[i] / sigmas[i - 1] * (-(tau**2) * (lams[i] - lams[i - 1])).exp() * x + total

    for i in range(n - 1):
        x0 = toy(pred, sigmas[i])
        preds = (preds + [x0])[-4:]
        len_known = i + 1
        p_order = min(3, len(preds))
        c_order = 0 if i == 0 or (sigmas[i + 1] == 0 and not pece) else min(4, len(preds))
        if to_zero:
            p_order, c_order = min(p_order, n - 2 - i), min(c_order, n - 1 - i)
        if c_order == 0:
            x = pred
        else:
            x = move(i, c_order, tau, x)
            if tau > 0:
                x = x + noise
            if pece:
                x0 = toy(x, sigmas[i])
                preds[-1] = x0
        if sigmas[i + 1] == 0:
            return x0
        tau = tau_at(sigmas[i + 1])
        h = lams[i + 1] - lams[i]
        pred = move(i + 1, p_order, tau, x)
        if tau > 0:
            noise = fresh() * sigmas[i + 1] * (-2 * tau**2 * h).expm1().neg().sqrt()
            pred = pred + noise
    return pred


def solvers(toy):
    found = {
        **{name: globals()[name] for name in NAMES if name in globals()},
        "dpmpp_2m_sde_heun": partial(dpmpp_2m_sde, heun=True),
        "sa_solver_pece": partial(sa_solver, pece=True),
    }
    return {name: partial(found[name], toy) for name in NAMES}


def compare_with_single():
    """ComfyUI's precision against double, relative L2, on the toy network of sampling.py."""
    global WIDE
    from sampling import N, ksampler_sigmas, toy

    for name in ("deis", "er_sde", "sa_solver", "sa_solver_pece"):
        for steps, shift in ((4, 5.0), (20, 8.0), (50, 12.0)):
            outs = []
            for WIDE in (torch.float64, torch.float32):
                generator = torch.Generator().manual_seed(8)
                x = torch.randn(N, generator=torch.Generator().manual_seed(7))
                sigmas = ksampler_sigmas(name, "simple", steps, shift)
                fresh = lambda: torch.randn(N, generator=generator)
                outs.append(solvers(toy)[name](x, sigmas, fresh, shift=shift, seed=7))
            error = float((outs[0] - outs[1]).norm() / outs[0].norm())
            print(f"{name} {steps} steps, shift {shift}: {error:.1e}")


if __name__ == "__main__":
    compare_with_single()
