#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether an address answers, from outside the cluster: answers.py ADDRESS

An ICMP echo every 10 ms. "ready" with the first answer; afterwards, at the end of each silence of more
than 50 ms, a line with the monotonic times of the last answer before it and the first one after it.
"""
import os
import select
import socket
import struct
import sys
import time

INTERVAL, SILENCE = 0.01, 0.05


def now():
    return time.clock_gettime(time.CLOCK_MONOTONIC)


def checksum(data):
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    total = (total & 0xffff) + (total >> 16)
    return ~(total + (total >> 16)) & 0xffff


def request(v6, ident, number):
    """The kernel fills ICMPv6's checksum in."""
    kind = 128 if v6 else 8
    bare = struct.pack("!BBHHH", kind, 0, 0, ident, number)
    return bare if v6 else struct.pack("!BBHHH", kind, 0, checksum(bare), ident, number)


def is_answer(packet, v6, ident):
    if not v6:
        packet = packet[(packet[0] & 15) * 4:]
    kind, _, _, theirs, _ = struct.unpack_from("!BBHHH", packet)
    return kind == (129 if v6 else 0) and theirs == ident


def main():
    address = sys.argv[1]
    v6 = ":" in address
    sock = socket.socket(socket.AF_INET6 if v6 else socket.AF_INET, socket.SOCK_RAW,
                         socket.IPPROTO_ICMPV6 if v6 else socket.IPPROTO_ICMP)
    sock.connect((address, 0))
    sock.setblocking(False)
    ident, number, last, due = os.getpid() & 0xffff, 0, None, now()
    while True:
        if now() >= due:
            number, due = (number + 1) & 0xffff, now() + INTERVAL
            try:
                sock.send(request(v6, ident, number))
            except OSError:
                pass  # no neighbour has it: that is an answer, too
        if not select.select([sock], [], [], max(0, due - now()))[0]:
            continue
        try:
            packet = sock.recv(2048)
        except OSError:
            continue
        if not is_answer(packet, v6, ident):
            continue
        if last is None:
            print("ready", flush=True)
        elif now() - last > SILENCE:
            print(f"{last:.6f} {now():.6f}", flush=True)
        last = now()


main()
