"""Goldens of ComfyUI's `ImageScale`: torch's interpolate and Pillow's Lanczos on a small picture.

    python tests/reference/resize.py      # writes tests/data/resize/golden.json

The picture is a formula, so that it need not be stored; values are 0..1, rounded to 7 digits.
Needs torch, numpy and Pillow.
"""

import json
import pathlib

import numpy as np
import torch
from PIL import Image

WIDTH, HEIGHT = 23, 17


def picture():
    """Bytes `[HEIGHT, WIDTH, 3]`: a pattern with sharp edges and slopes."""
    y, x, c = np.meshgrid(np.arange(HEIGHT), np.arange(WIDTH), np.arange(3), indexing="ij")
    return ((x * 37 + y * 91 + c * 53 + (x * y) % 7 * 19) % 256).astype(np.uint8)


def crop_center(samples, width, height):
    """comfy/utils.py, common_upscale, crop="center"."""
    old_height, old_width = samples.shape[-2:]
    old, new = old_width / old_height, width / height
    x = y = 0
    if old > new:
        x = round((old_width - old_width * (new / old)) / 2)
    elif old < new:
        y = round((old_height - old_height * (old / new)) / 2)
    return samples[:, :, y:old_height - y, x:old_width - x]


def scale(image, width, height, method, crop):
    samples = torch.from_numpy(image.astype(np.float32) / 255.0).movedim(-1, 0)[None]
    if crop == "center":
        samples = crop_center(samples, width, height)
    if method == "lanczos":
        array = np.clip(255.0 * samples[0].movedim(0, -1).numpy(), 0, 255).astype(np.uint8)
        result = Image.fromarray(array).resize((width, height), resample=Image.Resampling.LANCZOS)
        return np.array(result).astype(np.float32) / 255.0
    out = torch.nn.functional.interpolate(samples, size=(height, width), mode=method)
    return out[0].movedim(0, -1).numpy()


def main():
    cases = []
    for width, height in [(9, 7), (40, 31), (23, 30), (5, 60)]:
        for method in ["nearest-exact", "bilinear", "area", "bicubic", "lanczos"]:
            for crop in ["disabled", "center"]:
                out = scale(picture(), width, height, method, crop)
                # Some samples, spread over the picture, and the sum of all of them.
                flat = out.reshape(-1).astype(np.float64)
                picks = list(range(0, len(flat), max(1, len(flat) // 61)))
                cases.append({
                    "width": width, "height": height, "method": method, "crop": crop,
                    "sum": round(float(flat.sum()), 4),
                    "picks": [[i, round(float(flat[i]), 7)] for i in picks],
                })
    path = pathlib.Path(__file__).parent.parent / "data" / "resize" / "golden.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("[\n" + ",\n".join(json.dumps(case) for case in cases) + "\n]\n")


main()
