#!/usr/bin/env python3
"""Draws a run: both streams' error rate and p95 along the timeline, with the alerts where they fired.

usage: doorbuster simulate black-friday-v5 --seed 7 --report report.json
       docs/picture.py report.json > docs/black-friday-v5.svg
       (- reads standard input)

The picture holds what the report says and nothing else; the same report gives the same bytes. It follows the
reader's light or dark scheme.
"""

import html
import json
import sys

WIDTH, LEFT, RIGHT = 960, 62, 118
LABEL_STEP = 17

# By stream, in order: names, and colours on light and on dark paper.
HUES = {
    "good": ("#1a7f37", "#3fb950"), "bad": ("#cf222e", "#f85149"), "third": ("#0969da", "#58a6ff"),
    "fourth": ("#8250df", "#bc8cff"), "fifth": ("#bc4c00", "#db6d28"), "sixth": ("#bf3989", "#f778ba"),
    "seventh": ("#1b7c83", "#39c5cf"), "eighth": ("#636c76", "#8b949e"),
}
SCHEMES = [  # paper, ink, faint, grid, alarm
    ("#ffffff", "#1f2328", "#636c76", "#d1d9e0", "#9a6700"),
    ("#0d1117", "#e6edf3", "#8b949e", "#30363d", "#d29922"),
]


def colours(scheme):
    """Plain rules, no variables: not every reader of SVG knows those."""
    paper, ink, faint, grid, alarm = SCHEMES[scheme]
    rules = [f".paper {{ fill: {paper}; }} .ink {{ fill: {ink}; }} .faint {{ fill: {faint}; }}",
             f".grid {{ stroke: {grid}; }} .alarm {{ stroke: {alarm}; }} .alarm-text {{ fill: {alarm}; }}"]
    for name, hues in HUES.items():
        rules.append(f".{name}-line {{ stroke: {hues[scheme]}; }} .{name}-area, .{name}-name {{ fill: {hues[scheme]}; }}")
    return "\n".join(rules)


STYLE = f"""
{colours(0)}
@media (prefers-color-scheme: dark) {{
{colours(1)}
}}
text {{ font: 13px system-ui, -apple-system, "Segoe UI", "DejaVu Sans", sans-serif; }}
.title {{ font-size: 19px; font-weight: 600; }} .panel {{ font-weight: 600; }} .small {{ font-size: 12px; }}
.line {{ fill: none; stroke-width: 2.2; stroke-linejoin: round; stroke-linecap: round; }}
.area {{ opacity: 0.14; }} .name {{ font-weight: 600; }}
.grid {{ stroke-width: 1; }} .alarm {{ stroke-width: 1.4; stroke-dasharray: 4 3; }}
"""


def clock(seconds):
    minutes, seconds = divmod(int(seconds), 60)
    return f"{minutes:02d}:{seconds:02d}"


def number(value):
    """A coordinate or figure without decimals it does not need."""
    return f"{value:.1f}".rstrip("0").rstrip(".")


class Picture:
    def __init__(self, report):
        self.report = report
        self.minutes = max((len(s["minutes"]) for s in report["streams"].values()), default=0)
        self.parts = []

    def x(self, minute):
        return LEFT + (WIDTH - LEFT - RIGHT) * minute / max(self.minutes, 1)

    def add(self, part):
        self.parts.append(part)

    def text(self, x, y, words, classes="ink", anchor="start"):
        self.add(f'<text x="{number(x)}" y="{number(y)}" class="{classes}" text-anchor="{anchor}">'
                 f"{html.escape(words)}</text>")

    def alarms(self, top):
        """Labels in rows, so that none covers another; returns (lines to draw, height used)."""
        fired = sorted((a["fired_at_s"], a["name"]) for a in self.report["alerts"] if a["fired_at_s"] is not None)
        row_ends, lines = [], []
        for at, name in fired:
            x, label = self.x(at / 60), f"{name} {clock(at)}"
            width = 7.2 * len(label)
            left = min(x + 5, WIDTH - width - 4)
            row = next((r for r, end in enumerate(row_ends) if end < left - 8), len(row_ends))
            row_ends[row:row + 1] = [left + width]
            y = top + row * LABEL_STEP
            self.text(left, y + 12, label, "small alarm-text")
            lines.append((x, y))
        return lines, len(row_ends) * LABEL_STEP

    def axis(self, top, height, most, ticks, show):
        for i in range(ticks + 1):
            y = top + height - height * i / ticks
            self.add(f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{number(y)}" y2="{number(y)}" class="grid"/>')
            self.text(LEFT - 8, y + 4, show(most * i / ticks), "faint small", "end")

    def runs(self, rows, value):
        """Stretches of minutes that have requests: [(minute + 1/2, value), ...]."""
        run = []
        for row in rows:
            if row["requests"]:
                run.append((row["minute"] + 0.5, value(row)))
            elif run:
                yield run
                run = []
        if run:
            yield run

    def panel(self, title, top, height, value, most, ticks, show):
        self.text(LEFT, top - 9, title, "ink panel")
        self.axis(top, height, most, ticks, show)
        ends = []
        for hue, (name, stream) in zip(HUES, self.report["streams"].items()):
            end = None
            for run in self.runs(stream["minutes"], value):
                points = [(self.x(m), top + height - height * min(v / most, 1)) for m, v in run]
                path = " ".join(f"{number(x)},{number(y)}" for x, y in points)
                floor = top + height
                self.add(f'<polygon class="area {hue}-area" points="{number(points[0][0])},{floor} {path} '
                         f'{number(points[-1][0])},{floor}"/>')
                self.add(f'<polyline class="line {hue}-line" points="{path}"/>')
                end = (points[-1][1], hue, f"{name} {show(run[-1][1])}")
            if end:
                ends.append(end)
        self.names(sorted(ends), top + height)

    def names(self, ends, floor):
        """Each line's name at its end, pushed apart upwards where lines end together."""
        y = floor + LABEL_STEP
        for at, hue, label in reversed(ends):
            y = min(at + 4, y - LABEL_STEP)
            self.text(WIDTH - RIGHT + 8, y, label, f"small name {hue}-name")

    def time_axis(self, y):
        step = next((s for s in (1, 2, 5, 10, 15, 30, 60, 120, 240) if self.minutes / s <= 12), 480)
        for minute in range(0, self.minutes + 1, step):
            self.text(self.x(minute), y, str(minute), "faint small", "middle")
        self.text(WIDTH - RIGHT + 16, y, "minutes", "faint small")

    def summary(self):
        said = []
        for name, stream in self.report["streams"].items():
            said.append(f"{stream['errors']:,} of {stream['requests']:,} {name} requests failed")
        business = self.report["business"]
        if business["orders"]:
            said.append(f"${business['revenue']:,.0f} earned, about ${business['revenue_lost']:,.0f} lost")
        return " \N{MIDDLE DOT} ".join(said)

    def draw(self):
        report = self.report
        rows = [row for s in report["streams"].values() for row in s["minutes"] if row["requests"]]
        slowest = max((row["p95_ms"] for row in rows), default=0) / 1000
        seconds = next((s for s in (0.5, 1, 2, 4, 8, 16, 32, 64) if slowest <= s), slowest)
        self.text(LEFT, 34, report["scenario"], "ink title")
        self.text(LEFT, 56, f"seed {report['seed']} \N{MIDDLE DOT} {self.summary()}", "faint small")
        lines, used = self.alarms(70)
        errors_top = 70 + used + 34
        self.panel("share of requests that fail", errors_top, 200, lambda r: r["error_rate"], 1, 4,
                   lambda v: f"{v * 100:.0f} %")
        latency_top = errors_top + 200 + 42
        self.panel("p95 latency, from the intended start", latency_top, 150, lambda r: r["p95_ms"] / 1000, seconds,
                   4, lambda v: f"{v:.2f} s" if v % 0.5 else f"{v:.1f} s")
        floor = latency_top + 150
        for x, y in lines:
            self.add(f'<line x1="{number(x)}" x2="{number(x)}" y1="{y}" y2="{floor}" class="alarm"/>')
        self.time_axis(floor + 20)
        height = floor + 36
        label = html.escape(f"{report['scenario']}: {self.summary()}", quote=True)
        return "\n".join([
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" '
            f'height="{height}" role="img" aria-label="{label}">',
            f"<style>{STYLE}</style>",
            f'<rect class="paper" width="{WIDTH}" height="{height}" rx="8"/>',
            *self.parts, "</svg>", ""])


def main():
    if len(sys.argv) != 2 or sys.argv[1] in ("-h", "--help"):
        print(__doc__, file=sys.stdout if "--help" in sys.argv or "-h" in sys.argv else sys.stderr)
        return 0 if len(sys.argv) == 2 else 2
    with sys.stdin if sys.argv[1] == "-" else open(sys.argv[1], encoding="utf-8") as file:
        report = json.load(file)
    if report.get("report") != 1:
        print("picture.py: not a report of version 1", file=sys.stderr)
        return 1
    sys.stdout.write(Picture(report).draw())
    return 0


if __name__ == "__main__":
    sys.exit(main())
