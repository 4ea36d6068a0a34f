"""A ten-minute animatic against one minute of it: times realtime, peak memory, ratio.

Usage: film.py LONGTAKE WORK_DIR
"""

import json
import struct
import subprocess
import sys
from pathlib import Path

longtake, work = sys.argv[1], Path(sys.argv[2])
root = Path(__file__).parents[2]
rows = []
for name, shots in (("one minute", ["--shots", "1-12"]), ("ten minutes", [])):
    folder = work / name.replace(" ", "-")
    report = folder / "report.json"
    folder.mkdir(parents=True, exist_ok=True)
    film = folder / "film.mp4"
    subprocess.run(
        [longtake, "render", root / "presets/animatic-10min.longtake", *shots, "-o", film, "--report", report]
        + ["--store", folder / "store", "--progress", "plain"],
        check=True,
        stderr=subprocess.DEVNULL,
    )
    result = json.loads(report.read_text())
    seconds = result["measured"]["seconds"]
    # The film's own length: the duration in its movie header (ISO 14496-12, `mvhd`, version 0).
    data = film.read_bytes()
    at = data.index(b"mvhd") + 4
    timescale, duration = struct.unpack(">II", data[at + 12 : at + 20])
    length = duration / timescale
    rows.append((name, length, seconds, result["measured"]["peak_rss_bytes"], result["plan"]["peak_host_bytes"]))
print(f"{'film':<12} {'length s':>9} {'render s':>9} {'x realtime':>11} {'peak MiB':>9} {'predicted':>10}")
for name, length, seconds, peak, predicted in rows:
    print(f"{name:<12} {length:>9.1f} {seconds:>9.1f} {length / seconds:>11.2f} {peak >> 20:>9} {predicted >> 20:>10}")
print(f"peak of ten minutes / peak of one: {rows[1][3] / rows[0][3]:.3f}")
