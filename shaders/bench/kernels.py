"""PyTorch against our CPU kernels, alternating run by run.

    cargo build -p longtake-shaders --example kernel_bench
    PYTHON shaders/bench/kernels.py [--runs 5] [--only linear,conv3d] [--markdown]

PYTHON is any interpreter with torch. Prints the median of each side, the speed in GFLOP/s
where products dominate, and the median of the ratios of neighbouring runs (PyTorch's time /
ours: above 1 we are faster). Inputs are random and of the same shapes; results are compared
by the tests in shaders/tests, not here.
"""

import argparse
import os
import statistics
import subprocess
import time
from pathlib import Path

import torch
import torch.nn.functional as F

TOKENS, WIDTH, HIDDEN, HEADS = 2048, 1536, 8960, 12
HEAD = WIDTH // HEADS
ROOT = Path(__file__).resolve().parents[2]


def target():
    return Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))


def r(*shape):
    return torch.rand(*shape) * 0.1 - 0.05


def norm_modulate(x, scale, shift):
    return F.layer_norm(x, (WIDTH,), eps=1e-6) * (1 + scale) + shift


def norm_rope(x, weight, cos, sin):
    x = x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + 1e-6) * weight
    a, b = x.view(1, TOKENS, HEADS, HEAD // 2, 2).unbind(-1)
    c, s = cos[:, None], sin[:, None]
    return torch.stack((a * c - b * s, a * s + b * c), -1).view(1, TOKENS, HEADS, HEAD)


def attend(q, k, v):
    q, k, v = (t.transpose(1, 2) for t in (q, k, v))
    return F.scaled_dot_product_attention(q, k, v).transpose(1, 2)


def block():
    qkvo = [(r(WIDTH, WIDTH), r(WIDTH)) for _ in range(4)]
    norms = [r(WIDTH) for _ in range(2)]
    cos, sin = r(TOKENS, HEAD // 2), r(TOKENS, HEAD // 2)
    mod = [r(1, 1, WIDTH) for _ in range(6)]
    up, down = (r(HIDDEN, WIDTH), r(HIDDEN)), (r(WIDTH, HIDDEN), r(WIDTH))

    def forward(x):
        h = norm_modulate(x, mod[1], mod[0])
        q, k = (norm_rope(F.linear(h, *qkvo[i]), norms[i], cos, sin) for i in (0, 1))
        v = F.linear(h, *qkvo[2]).view(1, TOKENS, HEADS, HEAD)
        x = x + mod[2] * F.linear(attend(q, k, v).flatten(2), *qkvo[3])
        h = norm_modulate(x, mod[4], mod[3])
        return x + mod[5] * F.linear(F.gelu(F.linear(h, *up), approximate="tanh"), *down)

    return forward


def cases():
    """name -> (floating-point operations or None, function)"""
    x, up, up_bias = r(1, TOKENS, WIDTH), r(HIDDEN, WIDTH), r(HIDDEN)
    q, k, v = (r(1, TOKENS, HEADS, HEAD) for _ in range(3))
    wide = r(TOKENS, HIDDEN)
    scale, shift, weight = r(1, 1, WIDTH), r(1, 1, WIDTH), r(WIDTH)
    cos, sin = r(TOKENS, HEAD // 2), r(TOKENS, HEAD // 2)
    frames, cache = r(1, 96, 4, 120, 208), r(1, 96, 2, 120, 208)
    w3, b3, gamma = r(96, 96, 3, 3, 3), r(96), r(96, 1, 1, 1)
    small, w2 = r(4, 192, 60, 104), r(96, 192, 3, 3)
    run = block()
    linear = 2 * TOKENS * WIDTH * HIDDEN
    attention = 4 * TOKENS * TOKENS * WIDTH
    enlarge = lambda t: F.interpolate(t, scale_factor=2.0, mode="nearest-exact")
    return {
        "linear": (linear, lambda: F.linear(x, up, up_bias)),
        "linear_gelu": (linear, lambda: F.gelu(F.linear(x, up, up_bias), approximate="tanh")),
        "attention": (attention, lambda: attend(q, k, v)),
        "gelu": (None, lambda: F.gelu(wide, approximate="tanh")),
        "silu": (None, lambda: F.silu(wide)),
        "layer_norm_modulate": (None, lambda: norm_modulate(x, scale, shift)),
        "rms_norm_rope": (None, lambda: norm_rope(x, weight, cos, sin)),
        "conv3d": (
            2 * 4 * 120 * 208 * 96 * 96 * 27,
            lambda: F.conv3d(F.pad(torch.cat((cache, frames), 2), (1, 1, 1, 1)), w3, b3),
        ),
        "channel_norm_silu": (None, lambda: F.silu(F.normalize(frames, dim=1) * 96**0.5 * gamma)),
        "upsample_conv2d": (
            2 * 4 * 120 * 208 * 96 * 192 * 9,
            lambda: F.conv2d(enlarge(small), w2, b3, padding=1),
        ),
        "block": (2 * linear + attention + 8 * TOKENS * WIDTH * WIDTH, lambda: run(x)),
    }


def main():
    args = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    args.add_argument("--runs", type=int, default=5)
    args.add_argument("--only", default="")
    args.add_argument("--markdown", action="store_true")
    args.add_argument("--program", default=target() / "debug/examples/kernel_bench")
    args = args.parse_args()
    ours = subprocess.Popen([args.program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    print(f"ours: {ours.stdout.readline().strip()}")
    print(f"theirs: PyTorch {torch.__version__}, {torch.get_num_threads()} threads")

    def run_ours(name):
        ours.stdin.write(name + "\n")
        ours.stdin.flush()
        return float(ours.stdout.readline())

    def run_theirs(case):
        start = time.perf_counter()
        case()
        return time.perf_counter() - start

    wanted = [name for name in args.only.split(",") if name]
    columns = ("case", "PyTorch ms", "ours ms", "PyTorch GF/s", "ours GF/s", "ratio")
    line = "| {} | {} | {} | {} | {} | {} |" if args.markdown else "{:>20} {:>11} {:>11} {:>13} {:>11} {:>7}"
    print(line.format(*columns))
    if args.markdown:
        print("|---|---|---|---|---|---|")
    with torch.inference_mode():
        for name, (flops, case) in cases().items():
            if wanted and name not in wanted:
                continue
            run_ours(name), run_theirs(case)
            pairs = [(run_theirs(case), run_ours(name)) for _ in range(args.runs)]
            theirs, mine = (statistics.median(side) for side in zip(*pairs))
            ratio = statistics.median(a / b for a, b in pairs)
            speed = lambda t: f"{flops / t / 1e9:.0f}" if flops else ""
            print(line.format(name, f"{theirs * 1e3:.1f}", f"{mine * 1e3:.1f}", speed(theirs), speed(mine), f"{ratio:.2f}"), flush=True)
    ours.stdin.close()
    ours.wait()


if __name__ == "__main__":
    main()
