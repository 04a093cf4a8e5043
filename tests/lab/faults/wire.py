#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""A bad cable between the hub and a box, as tc's netem would make it (which not every kernel has):
wire.py BOX delay=MS jitter=MS loss=PERCENT duplicate=PERCENT seed=NUMBER, in the hub.

Says "ready" when it is in place; the good cable is back when standard input ends. Both directions suffer
alike. A packet that is delayed by less than the one before overtakes it.
"""
import heapq
import os
import random
import select
import socket
import subprocess
import sys
import time

SOL_PACKET, PACKET_VNET_HDR = 263, 15  # checksums and segments that the sender has left to its card
BIGGEST = 1 << 17


def ip(*words, check=True):
    subprocess.run(("ip", "link", *words), check=check)


def port(name):
    sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))  # all protocols
    sock.setsockopt(SOL_PACKET, PACKET_VNET_HDR, 1)
    sock.bind((name, 0))
    return sock


class Wire:
    def __init__(self, box, manners):
        self.chance = random.Random(manners.get("seed", 1))
        self.delay, self.jitter = (manners.get(key, 0) / 1000 for key in ("delay", "jitter"))
        self.loss, self.duplicate = (manners.get(key, 0) / 100 for key in ("loss", "duplicate"))
        self.box_end, self.hub_end = port(f"to-{box}"), port(f"bad-{box}")
        self.queue, self.number = [], 0

    def take(self, source):
        packet, (_, _, kind, _, _) = source.recvfrom(BIGGEST)
        if kind == socket.PACKET_OUTGOING or self.chance.random() < self.loss:
            return
        target = self.hub_end if source is self.box_end else self.box_end
        for _ in range(2 if self.chance.random() < self.duplicate else 1):
            due = time.monotonic() + self.delay + self.jitter * self.chance.uniform(-1, 1)
            self.number += 1
            heapq.heappush(self.queue, (due, self.number, packet, target))

    def give(self):
        """What is due. @return how long the next one has to wait"""
        while self.queue:
            left = self.queue[0][0] - time.monotonic()
            if left > 0:
                return left
            _, _, packet, target = heapq.heappop(self.queue)
            try:
                target.send(packet)
            except OSError:
                pass  # a port that is down, a packet that is too long: lost
        return None

    def run(self):
        while True:
            ready, _, _ = select.select([0, self.box_end, self.hub_end], [], [], self.give())
            for source in ready:
                if source == 0:
                    if not os.read(0, 64):
                        return
                else:
                    self.take(source)


def main():
    box = sys.argv[1]
    manners = {key: float(value) for key, value in (word.split("=") for word in sys.argv[2:])}
    ip("add", f"bad-{box}", "up", "type", "veth", "peer", "name", f"hub-{box}")
    try:
        ip("set", f"hub-{box}", "master", "eth0", "up")
        ip("set", f"to-{box}", "nomaster")
        wire = Wire(box, manners)
        print("ready", flush=True)
        wire.run()
    finally:
        ip("delete", f"bad-{box}", check=False)
        ip("set", f"to-{box}", "master", "eth0", check=False)


if __name__ == "__main__":
    main()
