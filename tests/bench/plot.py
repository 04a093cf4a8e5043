# SPDX-License-Identifier: GPL-3.0-or-later
"""A diagram with logarithmic axes as SVG, from nothing but Python."""
import math
from xml.sax.saxutils import escape

WIDTH, HEIGHT = 720, 420
LEFT, RIGHT, TOP, BOTTOM = 70, 210, 40, 50
# Told apart without colours, too: each series has its own mark.
COLORS = ("#1f5fa8", "#c2410c", "#3f7d20", "#7b3fa0", "#555555")
MARKS = ("circle", "square", "diamond", "triangle", "cross")


def decades(values):
    """The powers of ten around them."""
    low = math.floor(math.log10(min(values)) + 1e-9)
    high = math.ceil(math.log10(max(values)) - 1e-9)
    return range(low, max(high, low + 1) + 1)


class Axis:
    def __init__(self, values, begin, end):
        self.ticks = decades(values)
        self.begin, self.end = begin, end

    def at(self, value):
        part = (math.log10(value) - self.ticks[0]) / (self.ticks[-1] - self.ticks[0])
        return round(self.begin + part * (self.end - self.begin), 1)


def mark(shape, x, y, color):
    if shape == "circle":
        return f'<circle cx="{x}" cy="{y}" r="4" fill="{color}"/>'
    paths = {"square": f"M{x - 4} {y - 4}h8v8h-8z", "diamond": f"M{x} {y - 5}l5 5l-5 5l-5-5z",
             "triangle": f"M{x} {y - 5}l5 9h-10z", "cross": f"M{x - 4} {y - 4}l8 8M{x - 4} {y + 4}l8-8"}
    return f'<path d="{paths[shape]}" fill="{color}" stroke="{color}"/>'


def text(x, y, words, anchor="start", extra=""):
    return f'<text x="{x}" y="{y}" text-anchor="{anchor}"{extra}>{escape(words)}</text>'


def number(power):
    return f"{10 ** power:,}" if power >= 0 else f"{10.0 ** power:g}"


def grid(xs, ys):
    out = []
    for power in xs.ticks:
        x = xs.at(10.0 ** power)
        out += [f'<path d="M{x} {TOP}V{HEIGHT - BOTTOM}" stroke="#ddd"/>',
                text(x, HEIGHT - BOTTOM + 18, number(power), "middle")]
    for power in ys.ticks:
        y = ys.at(10.0 ** power)
        out += [f'<path d="M{LEFT} {y}H{WIDTH - RIGHT}" stroke="#ddd"/>', text(LEFT - 8, y + 4, number(power), "end")]
    return out


def svg(title, x_name, y_name, series):
    """series: {name: [[x, y]...]}; what is not above 0 has no place on such axes and is left out."""
    series = {name: [(x, y) for x, y in points if x > 0 and y > 0] for name, points in series.items()}
    points = [point for some in series.values() for point in some]
    xs = Axis([x for x, _ in points], LEFT, WIDTH - RIGHT)
    ys = Axis([y for _, y in points], HEIGHT - BOTTOM, TOP)
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}" '
           'font-family="sans-serif" font-size="13">',
           f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>',
           text(LEFT, 22, title, extra=' font-weight="bold"'), *grid(xs, ys),
           text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 12, x_name, "middle"),
           text(18, (TOP + HEIGHT - BOTTOM) / 2, y_name, "middle",
                f' transform="rotate(-90 18 {(TOP + HEIGHT - BOTTOM) / 2})"')]
    for i, (name, some) in enumerate(series.items()):
        color, shape = COLORS[i % len(COLORS)], MARKS[i % len(MARKS)]
        places = [(xs.at(x), ys.at(y)) for x, y in some]
        line = "L".join(f"{x} {y}" for x, y in places)
        out += [f'<path d="M{line}" fill="none" stroke="{color}" stroke-width="2"/>'] if len(places) > 1 else []
        out += [mark(shape, x, y, color) for x, y in places]
        y = TOP + 14 + 22 * i
        out += [mark(shape, WIDTH - RIGHT + 18, y, color), text(WIDTH - RIGHT + 30, y + 4, name)]
    return "\n".join([*out, "</svg>"]) + "\n"
