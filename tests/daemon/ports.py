# SPDX-License-Identifier: GPL-3.0-or-later
"""TCP ports for the servers of a test."""
import errno
import os
import socket

LOWEST = 20000
_next = [os.getpid()]


def free_port():
    """A port that nobody has on any address, below those that the kernel gives to others, and never the same again."""
    with open("/proc/sys/net/ipv4/ip_local_port_range", encoding="ascii") as f:
        count = int(f.read().split()[0]) - LOWEST
    assert count > 0, "net.ipv4.ip_local_port_range leaves no port for the servers of tests"
    for _ in range(count):
        port = LOWEST + _next[0] % count
        _next[0] += 1
        with socket.socket() as sock:
            try:
                sock.bind(("", port))
                return port
            except OSError as error:
                if error.errno != errno.EADDRINUSE:
                    raise
    raise AssertionError(f"all ports from {LOWEST} to {LOWEST + count - 1} are in use")
