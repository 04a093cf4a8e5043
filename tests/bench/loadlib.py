# SPDX-License-Identifier: GPL-3.0-or-later
"""Thousands of witness clients, and what they cost a server."""
import json
import os
import subprocess
import time

from benchlib import say

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.path.abspath(os.environ.get("B", os.path.join(TOP, "build")))
WINDOW = 100      # clients that arrive at once
KEEP_ALIVE = 120  # seconds


def poll(condition, seconds, pause=0.02):
    """Whether it came true in that time."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() >= end:
            return False
        time.sleep(pause)
    return True


class Helper:
    """load_clients or load_floor: a line in, a line out. where: the command that runs it somewhere else."""

    def __init__(self, program, *args, where=()):
        # pylint: disable-next=consider-using-with # __exit__ ends it
        self.process = subprocess.Popen(
            [*where, os.path.join(BUILD, "tests/bench", program), *map(str, args)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()

    def line(self):
        line = self.process.stdout.readline()
        assert line, f"{self.process.args[0]} has ended: {self.process.wait(10)}"
        return line

    def send(self, *words):
        self.process.stdin.write(" ".join(map(str, words)) + "\n")

    def ask(self, *words):
        self.send(*words)
        return json.loads(self.line())


def cpu(pid):
    """Seconds that a process has used, with all its threads, to the nanosecond: its CPU-time clock."""
    return time.clock_gettime(~pid << 3 | 2)


def pss_kib(pid):
    """Memory that is a process's own, and its part of what it shares."""
    with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as lines:
        return next(int(line.split()[1]) for line in lines if line.startswith("Pss:"))


class Clients(Helper):
    """Of a witness; each registered and waiting for news. Client I is user I modulo their number."""

    def __init__(self, size, witness, users, where=()):
        super().__init__("load_clients", size, *witness, "ntlm", KEEP_ALIVE,
                         *(":".join(user) for user in users), where=where)
        self.notified = 0

    def join(self, count, address, may_fail=False):
        """@return seconds, and how many were refused"""
        done = self.ask("join", count, WINDOW, address)
        assert may_fail or not done["failed"], f"{done['failed']} of {count} clients were not registered: {done['error']}"
        return done["seconds"], done["failed"]

    def arm(self, count):
        self.send("arm", count)
        assert self.line() == "armed\n"

    def arrived(self):
        """When the notifications have come that it was armed for. Nobody reads them before all_told()."""
        return json.loads(self.line())

    def all_told(self, count):
        """Waits until each has read, verified and decoded its notification; how many did not get one."""
        self.send("read")
        self.notified += count
        poll(lambda: self.ask("count")["notified"] >= self.notified, 60)
        now = self.ask("count")
        if now["lost"] or now["notified"] != self.notified:
            say(f"  expected {self.notified} notifications in all: {now}")
        lost, self.notified = self.notified - now["notified"], now["notified"]
        return abs(lost) + now["lost"]
