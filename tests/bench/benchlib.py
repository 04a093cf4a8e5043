# SPDX-License-Identifier: GPL-3.0-or-later
"""What benchmarks in Python share: samples, and the document that tests/bench/run makes tables from."""
import argparse
import json
import os
import statistics
import subprocess
import sys

LAB = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "lab", "lab")
SKIPPED = 77  # to tests/bench/run


def say(text):
    print(text, file=sys.stderr, flush=True)


def fetch_release(release):
    """Have another Debian's CTDB and Samba; where they are not to be had the benchmark is skipped."""
    if subprocess.run([LAB, "fetch", release], stdin=subprocess.DEVNULL, stdout=sys.stderr, check=False).returncode != 0:
        sys.exit(SKIPPED)


def arguments(*parts):
    """The number of rounds, and those of the parts that are wanted: by name, or all."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("part", nargs="*", choices=[*parts, []], default=[])
    args = parser.parse_args()
    return args.rounds, args.part or list(parts)


def ms(seconds):
    return f"{seconds * 1000:.0f} ms" if abs(seconds) < 10 else f"{seconds:.1f} s"


class Samples:
    """Seconds of one quantity, one a round; None where nothing came within the time it was waited for."""

    def __init__(self, cap=None):
        self.cap = cap
        self.values = []

    def add(self, seconds):
        self.values.append(seconds)

    def sorted(self):
        return sorted(float("inf") if value is None else value for value in self.values)

    def show(self, seconds):
        return f"> {self.cap:g} s" if seconds == float("inf") else ms(seconds)

    def last(self):
        return self.show(float("inf") if self.values[-1] is None else self.values[-1])

    def median(self):
        return statistics.median_high(self.sorted())

    def cell(self):
        """"median / worst", where worst is the largest."""
        return f"{self.show(self.median())} / {self.show(self.sorted()[-1])}" if self.values else "-"

    def least(self):
        """"median / worst", where worst is the smallest."""
        return f"{self.show(self.median())} / {self.show(self.sorted()[0])}" if self.values else "-"


class Document:
    """print() writes it to standard output, where tests/bench/run reads it."""

    def __init__(self, title, packages=()):
        self.parts = {"title": title, "packages": list(packages), "tables": [], "plots": [], "samples": {},
                      "bounds": []}

    def table(self, title, columns, rows, *notes):
        self.parts["tables"].append({"title": title, "columns": columns, "rows": rows, "notes": notes})

    def plot(self, name, title, axes, series):
        """A diagram with logarithmic axes, whose names are given; series: {name: [[x, y]...]}."""
        self.parts["plots"].append({"name": name, "title": title, "axes": axes, "series": series})

    def samples(self, name, samples):
        self.parts["samples"][name] = [v if v is None else round(v, 6) for v in samples.values]

    def bound(self, what, value, limit, unit):
        """One that is missed makes the run fail. A quantity that has no value is 999999: JSON has no infinity."""
        self.parts["bounds"].append({"what": what, "value": min(round(value, 3), 999999), "limit": limit,
                                     "unit": unit})

    def print(self):
        json.dump(self.parts, sys.stdout)
