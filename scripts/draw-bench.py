#!/usr/bin/env python3
"""Draws what `kiteq bench --json FILE` measured: each work's ratio in each round, next to its target.

    scripts/draw-bench.py MariaDB=docs/figures/mariadb.json MySQL=docs/figures/mysql.json > docs/images/performance.svg

A bar is a work's median, relative to its target (the line at 1); dots are the rounds. Bars to the right of the line meet their
target, whichever way the target goes.
"""

import json
import sys
from xml.sax.saxutils import escape

NAMES = {
    "publish": "durable publishes a second, of raw INSERT",
    "end-to-end": "end to end a second, of raw INSERT and DELETE",
    "ack-latency": "store ack p99, of a single-row commit's",
    "delivery-latency": "end-to-end p99, of the store ack's",
    "fly": "CPU of a fly message, of a packet echo's",
    "backlog": "time a message with 5,000,000 waiting, of 10,000",
    "memory": "MiB with 10,000 idle connections",
    "idle": "% CPU with 1,000 idle connections",
}
COLOURS = ["#3b6ea5", "#c47a2c", "#5b8c5a"]
LEFT, WIDTH, BAR, GAP, TOP = 330, 360, 14, 16, 50


def score(target, value):
    """How far a value is beyond its target: 1 meets it exactly."""
    kind, limit = target.rsplit(" ", 1)
    return value / float(limit) if kind == "at least" else float(limit) / value if value else 0


def results(work):
    return [value / against if against else value for value, against in work["samples"]]


def main():
    if len(sys.argv) < 2 or any("=" not in argument for argument in sys.argv[1:]):
        sys.exit(__doc__)
    reports = []
    for argument in sys.argv[1:]:
        name, path = argument.split("=", 1)
        with open(path, encoding="utf-8") as file:
            reports.append((name, {work["work"]: work for work in json.load(file)["works"]}))
    works = [work for work in NAMES if any(work in report for _, report in reports)]
    block = len(reports) * (BAR + 3) + GAP
    height = TOP + len(works) * block + 40
    top = max(score(r[w]["target"], v) for _, r in reports for w in works if w in r for v in results(r[w]))
    scale = WIDTH / max(1.2, min(top, 4.0))
    out = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {LEFT + WIDTH + 130} {height}" font-family="sans-serif" font-size="12">',
        '<rect width="100%" height="100%" fill="#ffffff"/>',
        f'<text x="16" y="22" font-size="15" font-weight="bold">Against the targets (right of the line: met)</text>',
    ]
    for index, (name, _) in enumerate(reports):
        x = LEFT + index * 110
        out.append(f'<rect x="{x}" y="32" width="10" height="10" fill="{COLOURS[index % 3]}"/>')
        out.append(f'<text x="{x + 14}" y="41">{escape(name)}</text>')
    line = LEFT + scale
    y = TOP
    for work in works:
        out.append(f'<text x="{LEFT - 8}" y="{y + BAR}" text-anchor="end">{escape(NAMES[work])}</text>')
        for index, (_, report) in enumerate(reports):
            if work in report:
                row = report[work]
                length = min(score(row["target"], row["result"]) * scale, WIDTH)
                colour = COLOURS[index % 3]
                out.append(f'<rect x="{LEFT}" y="{y}" width="{length:.1f}" height="{BAR}" fill="{colour}" opacity="0.75"/>')
                for value in results(row):
                    dot = LEFT + min(score(row["target"], value) * scale, WIDTH)
                    out.append(f'<circle cx="{dot:.1f}" cy="{y + BAR / 2}" r="2.5" fill="#222222"/>')
                label = f'{row["result"]:.2f} ({row["target"]})'
                out.append(f'<text x="{LEFT + WIDTH + 8}" y="{y + BAR - 3}" font-size="11">{escape(label)}</text>')
            y += BAR + 3
        y += GAP
    out.append(f'<line x1="{line:.1f}" y1="{TOP - 4}" x2="{line:.1f}" y2="{y}" stroke="#a02020" stroke-dasharray="4 3"/>')
    out.append(f'<text x="{line:.1f}" y="{y + 14}" text-anchor="middle" fill="#a02020">target</text>')
    out.append("</svg>")
    print("\n".join(out))


main()
