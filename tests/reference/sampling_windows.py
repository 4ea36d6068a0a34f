#!/usr/bin/env python3
"""Reference values for engine/sampling's context windows and caches, from PyTorch.

    python tests/reference/sampling_windows.py        # writes tests/data/sampling/{windows,cache}.json

ComfyUI's `comfy/context_windows.py` and `comfy_extras/nodes_easycache.py` restated on PyTorch tensors;
made with torch 2.15. `torch.randperm` and the arithmetic are PyTorch's own.
"""

import math

import torch

from sampling import floats, percent_to_sigma, write

# ---------------------------------------------------------------- windows


def halving(step):
    return sum(((step >> k) & 1) * 2.0 ** -(k + 1) for k in range(64))


def uniform(n, length, overlap, stride, step, closed):
    out, h = [], halving(step)
    for s in [2**k for k in range(min(stride, math.ceil(math.log2(n / length)) + 1))]:
        pad = round(n * h)
        for j in range(int(h * s) + pad, n + pad + (0 if closed else -overlap), length * s - overlap):
            out.append([e % n for e in range(j, j + length * s, s)])
    return out


def standard_uniform(n, length, overlap, stride, step):
    out = uniform(n, length, overlap, stride, step, False)
    i, twice = 0, []
    while i < len(out):
        w = out[i]
        falls = [k for k in range(1, len(w)) if w[k] < w[k - 1]]
        if falls:
            begin = w[falls[0]]
            moved = [(v - w[0]) % n for v in w]
            out[i] = [v + n - 1 - moved[-1] for v in moved]
            if begin not in out[(i + 1) % len(out)]:
                out.insert(i + 1, list(range(begin, begin + length)))
        if out[i] in out[:i]:
            twice.append(i)
        i += 1
    return [w for i, w in enumerate(out) if i not in twice]


def static(n, length, overlap):
    out, start = [], 0
    while start + length < n:
        out.append(list(range(start, start + length)))
        start += length - overlap
    return out + [list(range(n - length, n))]


def windows(schedule, n, length, overlap, stride, step, closed):
    if n < length or (n == length and schedule != "looped_uniform"):
        return [list(range(n))]
    if schedule == "looped_uniform":
        return uniform(n, length, overlap, stride, step, closed)
    if schedule == "standard_uniform":
        return standard_uniform(n, length, overlap, stride, step)
    if schedule == "batched":
        return [list(range(a, min(n, a + length))) for a in range(0, n, length)]
    return static(n, length, overlap)


def weights(fuse, w, n, overlap):
    if fuse == "flat":
        return torch.ones(len(w))
    if fuse in ("pyramid", "relative"):
        half = (len(w) + 1) // 2
        up = list(range(1, half + 1))
        return torch.tensor([float(v) for v in up + up[::-1][len(w) % 2 :]])
    out = torch.ones(len(w))
    if min(w) > 0 and overlap:
        out[:overlap] = torch.linspace(1e-37, 1, overlap)
    if max(w) < n - 1 and overlap:
        out[-overlap:] = torch.linspace(1, 1e-37, overlap)
    return out


def predict(x, k):
    """What the toy network says of window number k; see tests/windows.rs."""
    return torch.tanh(x * (1.0 + 0.25 * k)) + 0.1 * k


def fused(fuse, x, laid, overlap):
    n = x.shape[1]
    total, counts, biases = torch.zeros_like(x), torch.zeros(1, n, 1, 1), [0.0] * n
    for k, w in enumerate(laid):
        out = predict(x[:, w], k)
        if fuse == "relative":
            for pos, i in enumerate(w):
                b = 1 - abs(i - (w[0] + w[-1]) / 2) / ((w[-1] - w[0] + 1e-2) / 2)
                b = max(1e-2, b)
                total[:, i] = total[:, i] * (biases[i] / (biases[i] + b)) + out[:, pos] * (b / (biases[i] + b))
                biases[i] += b
        else:
            ws = weights(fuse, w, n, overlap).reshape(1, -1, 1, 1)
            total[:, w] += out * ws
            counts[:, w] += ws
    return total if fuse == "relative" else total / counts


def freenoise(noise, length, overlap, seed):
    generator = torch.Generator().manual_seed(seed)
    n, delta = noise.shape[1], length - overlap
    for start in range(0, n - length, delta):
        count = min(delta, n - start - length)
        picks = torch.randperm(count, generator=generator) + start
        noise[:, start + length : start + length + count] = noise[:, picks]
    return noise


def windows_golden():
    cases = []
    for schedule in ("standard_static", "standard_uniform", "looped_uniform", "batched"):
        for n, length, overlap, stride in ((21, 21, 8, 1), (20, 21, 8, 1), (41, 21, 8, 1), (81, 21, 8, 1), (50, 9, 3, 3),
                                           (34, 21, 0, 1), (22, 21, 20, 1), (100, 21, 4, 2)):
            for step in (0, 1, 2, 5, 11) if "uniform" in schedule else (0,):
                for closed in (False, True) if schedule == "looped_uniform" else (False,):
                    laid = windows(schedule, n, length, overlap, stride, step, closed)
                    if all(v < n for w in laid for v in w):  # else ComfyUI fails
                        cases.append({"schedule": schedule, "frames": n, "length": length, "overlap": overlap,
                                      "stride": stride, "step": step, "closed_loop": closed,
                                      # a regular window as [first, distance, count]
                                      "windows": [pack(w) for w in laid]})
    sums = []
    for fuse in ("pyramid", "relative", "flat", "overlap-linear"):
        for schedule, n, length, overlap, step in (("standard_static", 12, 5, 2, 0), ("standard_uniform", 12, 5, 2, 3),
                                                   ("looped_uniform", 12, 6, 3, 1), ("standard_static", 9, 4, 1, 0)):
            x = torch.randn(2, n, 1, 2, generator=torch.Generator().manual_seed(3))
            out = fused(fuse, x, windows(schedule, n, length, overlap, 1, step, False), overlap)
            sums.append({"fuse": fuse, "schedule": schedule, "frames": n, "length": length, "overlap": overlap,
                         "step": step, "out": floats(out.flatten())})
    noises = []
    for seed, n, length, overlap in ((5, 23, 9, 3), (2**33 + 1, 12, 8, 2)):
        noise = torch.arange(2.0 * n).reshape(2, n)
        noises.append({"seed": str(seed), "frames": n, "length": length, "overlap": overlap,
                       "noise": floats(freenoise(noise, length, overlap, seed).flatten())})
    write("windows.json", {"cases": cases, "sums": sums, "noises": noises})


def pack(w):
    d = (w[1] - w[0]) if len(w) > 1 else 1
    return [w[0], d, len(w)] if w == list(range(w[0], w[0] + d * len(w), d)) else {"frames": w}


# ---------------------------------------------------------------- caches


def velocity(x, sigma, k):
    """The toy network's pass k; see tests/cache.rs."""
    return torch.tanh(x * (1.2 - 0.2 * k)) * (0.5 + sigma) - 0.3 * k


class Cache:
    """EasyCacheHolder and easycache_forward_wrapper, one call for each pass; or LazyCacheHolder."""

    def __init__(self, threshold, shift, lazy):
        self.threshold, self.lazy = threshold, lazy
        self.start, self.end = percent_to_sigma(shift, 0.15), percent_to_sigma(shift, 0.95)
        self.rate = self.x = self.y = self.norm = None
        self.sum, self.first, self.skip, self.diffs = 0.0, False, False, {}

    def __call__(self, x, sigma, k, run):
        if not sigma > self.end:
            return run(), False
        decides, moved = k == 0 and (self.first or self.lazy), None
        if sigma <= self.start:
            if self.skip and k in self.diffs:
                return x + self.diffs[k], True
            if k == 0:
                self.first = decides = True
                if self.x is not None:
                    moved = (x[..., ::8, ::8] - self.x).abs().mean()
                if self.norm is not None and self.rate is not None:
                    self.sum += self.rate * moved / self.norm
                    if self.sum < self.threshold and k in self.diffs:
                        self.skip = True
                        return x + self.diffs[k], True
                    self.sum = 0.0
        y = run()
        if decides and self.norm is not None and moved is not None:
            self.rate = (y[..., ::8, ::8] - self.y).abs().mean() / moved
        self.diffs[k] = y - x
        if decides:
            self.x, self.y, self.norm = x[..., ::8, ::8].clone(), y[..., ::8, ::8].clone(), y.abs().mean()
        return y, False


def cache_golden():
    cases = []
    for lazy in (False, True):
        for threshold, steps, shift in ((0.2, 20, 8.0), (0.05, 20, 5.0), (0.6, 12, 3.0), (0.0, 8, 5.0)):
            cache = Cache(threshold, shift, lazy)
            sigmas = [shift * t / (1 + (shift - 1) * t) for t in (1 - i / steps for i in range(steps + 1))]
            sigmas = torch.tensor(sigmas)
            x = torch.randn(2, 3, 9, 17, generator=torch.Generator().manual_seed(11))
            skips = []
            for s, t in zip(sigmas[:-1], sigmas[1:]):
                cache.skip = False
                outs = [cache(x, float(s), k, lambda: velocity(x, s, k)) for k in ((0,) if lazy else (0, 1))]
                skips.append(int(outs[0][1]))
                v = outs[0][0] if lazy else outs[1][0] + (outs[0][0] - outs[1][0]) * 3.0
                x = x + (t - s) * v
            cases.append({"lazy": lazy, "threshold": threshold, "steps": steps, "shift": shift, "skips": skips,
                          "out": floats(x.flatten()[::41])})
    write("cache.json", {"cases": cases})


if __name__ == "__main__":
    windows_golden()
    cache_golden()
