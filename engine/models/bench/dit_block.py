"""One Wan 1.3B block: our CPU path against PyTorch's, alternating, in one run.

    cargo build -p longtake-models --example dit_block_bench
    /opt/ref/bin/python engine/models/bench/dit_block.py [tokens] [rounds] [threads]

Both sides get random weights and the same sizes (dim 1536, ffn 8960, 12 heads, 512 text rows);
`tests/` holds their results together, this only times them. The machine is noisy, so the ratio of
medians counts and not the seconds.
"""

import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

TOKENS = int(sys.argv[1]) if len(sys.argv) > 1 else 2080
ROUNDS = int(sys.argv[2]) if len(sys.argv) > 2 else 5
THREADS = int(sys.argv[3]) if len(sys.argv) > 3 else os.cpu_count()
os.environ["RAYON_NUM_THREADS"] = os.environ["OMP_NUM_THREADS"] = str(THREADS)

import torch  # noqa: E402  (after the thread counts)
from diffusers.models.transformers.transformer_wan import WanRotaryPosEmbed, WanTransformerBlock  # noqa: E402

TARGET = Path(os.environ.get("CARGO_TARGET_DIR", Path.home() / ".cache/longtake/target"))


def pytorch_block():
    """A function that runs diffusers' block once."""
    torch.set_num_threads(THREADS)
    torch.manual_seed(0)
    block = WanTransformerBlock(1536, 8960, 12, cross_attn_norm=True).eval()
    # 26 columns as at 832x480 would; rows make up the number of tokens.
    rope = WanRotaryPosEmbed(128, (1, 2, 2), 2048)(torch.empty(1, 16, 1, 2 * (TOKENS // 26), 52))
    x = torch.randn(1, TOKENS // 26 * 26, 1536)
    text, time_embedding = torch.randn(1, 512, 1536), torch.randn(1, 6, 1536)

    @torch.no_grad()
    def run():
        start = time.perf_counter()
        block(x, text, time_embedding, rope)
        return time.perf_counter() - start

    return run


def main():
    torch_run = pytorch_block()
    ours = subprocess.Popen([TARGET / "debug/examples/dit_block_bench", str(TOKENS)], text=True,
                            stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def our_run(word="run"):
        ours.stdin.write(word + "\n")
        ours.stdin.flush()
        return ours.stdout.readline().strip()

    torch_run(), our_run()  # warm up
    theirs, mine = [], []
    for _ in range(ROUNDS):
        theirs.append(torch_run())
        mine.append(float(our_run()))
    slow, fast = statistics.median(mine), statistics.median(theirs)
    gflop = float(our_run("gflop"))
    print(f"{TOKENS // 26 * 26} tokens, {THREADS} threads, {ROUNDS} rounds, {gflop:.1f} GFLOP per block")
    print(f"longtake {slow:.3f} s ({min(mine):.3f}-{max(mine):.3f}), {gflop / slow:.0f} GFLOP/s")
    print(f"pytorch {torch.__version__} {fast:.3f} s ({min(theirs):.3f}-{max(theirs):.3f}), {gflop / fast:.0f} GFLOP/s")
    print(f"longtake / pytorch: {slow / fast:.2f}")
    ours.stdin.write("profile\n")
    ours.stdin.close()
    print(ours.stdout.read())
    ours.wait()


if __name__ == "__main__":
    main()
