"""One decode chunk of the Wan 2.1 VAE at its real width (dim 96), ours against PyTorch on the CPU.

    /opt/ref/bin/python engine/models/bench/vae_chunk.py [--height 15] [--width 26] [--rounds 3]

Both sides hold the same random f32 weights, stand in the steady state (one latent frame in, four
frames out, caches full) and take turns in one run; the sizes are those of the latent. Prints the
medians, the ratio and where our time goes. `--height 60 --width 104` is 832x480 pixels.
"""

import argparse
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

import torch
from diffusers import AutoencoderKLWan

ROOT = pathlib.Path(__file__).resolve().parents[3]


def steady_torch(vae: AutoencoderKLWan, height: int, width: int):
    """A function that decodes the next chunk, after two that fill the caches."""
    vae.clear_cache()
    x = vae.post_quant_conv(torch.randn(1, 16, 1, height, width))

    def chunk(first: bool = False) -> torch.Tensor:
        vae._conv_idx = [0]
        return vae.decoder(x, feat_cache=vae._feat_map, feat_idx=vae._conv_idx, first_chunk=first)

    chunk(first=True)
    chunk()
    return chunk


@torch.no_grad()
def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--height", type=int, default=15)
    parser.add_argument("--width", type=int, default=26)
    parser.add_argument("--rounds", type=int, default=3)
    args = parser.parse_args()
    build = ["cargo", "build", "-q", "-p", "longtake-models", "--example", "vae_chunk_bench", "--message-format=json"]
    made = subprocess.run(build, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    program = next(line.split('"executable":"')[1].split('"')[0] for line in reversed(made.splitlines())
                   if '"executable":"' in line)

    torch.manual_seed(0)
    vae = AutoencoderKLWan().eval()
    with tempfile.TemporaryDirectory() as folder:
        vae.save_pretrained(folder)
        ours = subprocess.Popen([program, folder, str(args.height), str(args.width)], cwd=ROOT, text=True,
                                stdin=subprocess.PIPE, stdout=subprocess.PIPE)

        def ask(line: str) -> str:
            ours.stdin.write(line + "\n")
            ours.stdin.flush()
            return ours.stdout.readline()

        ready = ours.stdout.readline().strip()
        if not ready.startswith("ready"):
            sys.exit("vae_chunk_bench did not start")
        theirs = steady_torch(vae, args.height, args.width)
        times = {"ours": [], "torch": []}
        for _ in range(args.rounds):
            times["ours"].append(float(ask("go").split()[0]))
            start = time.perf_counter()
            theirs()
            times["torch"].append(time.perf_counter() - start)
        print(f"latent {args.height}x{args.width} -> 4 frames {8 * args.width}x{8 * args.height}, dim 96, f32, "
              f"{torch.get_num_threads()} threads, torch {torch.__version__}, ours on {ready[6:]}")
        medians = {name: statistics.median(values) for name, values in times.items()}
        for name, values in times.items():
            print(f"{name:6} median {medians[name]:.2f} s  ({', '.join(f'{v:.2f}' for v in values)})")
        print(f"ratio torch/ours {medians['torch'] / medians['ours']:.2f} (1.0 is PyTorch's speed)")
        line, parts = ask("profile"), {}
        while line.strip() != "end":
            name, seconds = line.strip().split("=")
            parts[name] = float(seconds)
            line = ours.stdout.readline()
        total = sum(parts.values())
        print(f"where it goes (each operation alone, {total:.2f} s in all):")
        for name, seconds in sorted(parts.items(), key=lambda it: -it[1]):
            print(f"  {100 * seconds / total:5.1f} %  {seconds:7.3f} s  {name}")
        ours.stdin.close()
        ours.wait()


main()
