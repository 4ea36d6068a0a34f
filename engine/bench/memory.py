"""Predicted against measured memory, and time, of one render, from its --report.

Usage: memory.py REPORT.json
"""

import json
import sys

report = json.load(open(sys.argv[1]))
if report["error"]:
    sys.exit(report["error"]["message"])
GIB = 1 << 30
print(f"{'step':<28} {'rung':<10} {'predicted':>10} {'measured':>10} {'ratio':>6} {'seconds':>8}")
for step in report["steps"]:
    if step["status"] == "done" and step["measured_bytes"] > 0 and step["seconds"] > 0.2:
        predicted, measured = step["predicted_bytes"] / GIB, step["measured_bytes"] / GIB
        print(
            f"{step['class'] + ' ' + step['id']:<28} {step['rung']:<10} {predicted:>8.2f} G {measured:>8.2f} G"
            f" {measured / predicted:>6.2f} {step['seconds']:>8.1f}"
        )
predicted, measured = report["plan"]["peak_host_bytes"] / GIB, report["measured"]["peak_rss_bytes"] / GIB
print(f"{'peak':<28} {'':<10} {predicted:>8.2f} G {measured:>8.2f} G {measured / predicted:>6.2f} {report['measured']['seconds']:>8.1f}")
