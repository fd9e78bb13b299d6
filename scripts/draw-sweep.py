#!/usr/bin/env python3
"""Draws what the database alone did in the sweep of `kiteq bench`: rows a second, by rows a transaction and connections.

    kiteq bench --store URL --work publish,end-to-end 2> bench.log
    scripts/draw-sweep.py "array binding" < bench.log > docs/images/sweep.svg
"""

import re
import sys

LINE = re.compile(r"raw (INSERT(?: and DELETE)?): (.+), (\d+) rows, (\d+) connections?: (\d+) a second")
COLOURS = {250: "#8a8a8a", 500: "#c47a2c", 1000: "#3b6ea5", 2000: "#5b8c5a"}
WIDTH, HEIGHT, LEFT, TOP, GAP = 260, 200, 70, 50, 80


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    points = {}
    for work, way, rows, connections, rate in LINE.findall(sys.stdin.read()):
        if way == sys.argv[1]:
            points.setdefault(work, {}).setdefault(int(rows), {})[int(connections)] = int(rate)
    # The best few come a second time, longer: what they did then counts.
    if not points:
        sys.exit(f"there is no {sys.argv[1]} in this log")
    top = max(rate for work in points.values() for line in work.values() for rate in line.values())
    top = (top // 20_000 + 1) * 20_000
    counts = sorted({count for work in points.values() for line in work.values() for count in line})
    width = LEFT + len(points) * (WIDTH + GAP)
    out = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {TOP + HEIGHT + 60}" font-family="sans-serif" font-size="12">',
        '<rect width="100%" height="100%" fill="#ffffff"/>',
    ]
    for index, (work, lines) in enumerate(sorted(points.items())):
        left = LEFT + index * (WIDTH + GAP)
        out.append(f'<text x="{left}" y="22" font-size="15" font-weight="bold">{work}, {sys.argv[1]}</text>')
        for rate in range(0, top + 1, 20_000):
            y = TOP + HEIGHT * (1 - rate / top)
            out.append(f'<line x1="{left}" y1="{y:.1f}" x2="{left + WIDTH}" y2="{y:.1f}" stroke="#dddddd"/>')
            out.append(f'<text x="{left - 6}" y="{y + 4:.1f}" text-anchor="end">{rate // 1000}k</text>')
        for place, count in enumerate(counts):
            x = left + WIDTH * place / max(1, len(counts) - 1)
            out.append(f'<text x="{x:.1f}" y="{TOP + HEIGHT + 18}" text-anchor="middle">{count}</text>')
        out.append(f'<text x="{left + WIDTH / 2}" y="{TOP + HEIGHT + 36}" text-anchor="middle">connections</text>')
        for row, (rows, line) in enumerate(sorted(lines.items())):
            colour = COLOURS.get(rows, "#222222")
            path = " ".join(
                f"{left + WIDTH * counts.index(count) / max(1, len(counts) - 1):.1f},{TOP + HEIGHT * (1 - rate / top):.1f}"
                for count, rate in sorted(line.items())
            )
            out.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>')
            if index == 0:
                y = TOP + HEIGHT + 52
                out.append(f'<rect x="{left + row * 110}" y="{y - 9}" width="10" height="10" fill="{colour}"/>')
                out.append(f'<text x="{left + row * 110 + 14}" y="{y}">{rows} rows</text>')
    out.append("</svg>")
    print("\n".join(out))


main()
