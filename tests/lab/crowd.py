#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Many clients of one witness: crowd.py WITNESS PORT ADDRESS CONNECTIONS USER:PASSWORD ...

Registers 256 times for the address on each connection, a user after the other, and waits for
notifications on all of them. Prints "registered NUMBER". Meanwhile the witness is asked something
every 5 ms; a line on standard input makes it print "worst MILLISECONDS", the longest answer took
since the last one.
"""
import os
import sys
import threading
import time
from types import SimpleNamespace

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../daemon"))
import rawrpc as r  # noqa: E402  pylint: disable=wrong-import-position
import swn  # noqa: E402  pylint: disable=wrong-import-position

A_CONNECTION = 256
DOMAIN = "LAB"


class Probe(threading.Thread):
    """How long the witness's event loop takes to answer an anonymous call."""

    def __init__(self, addr, port):
        super().__init__(daemon=True)
        self.where = (addr, port)
        self.worst = 0.0

    def run(self):
        with r.Conn(*self.where) as conn:
            conn.bind(r.context(0, r.MGMT))
            while True:
                asked = time.monotonic()
                conn.ask(r.request(2), timeout=60)  # is_server_listening
                self.worst = max(self.worst, time.monotonic() - asked)
                time.sleep(0.005)


def crowd(addr, port, address, user, first):
    name, password = user.split(":")
    where = SimpleNamespace(addr=addr, port=port, user=name, password=password, domain=DOMAIN)
    conn = r.NtlmConn(where, flags=r.FIRST | r.LAST | r.MPX)
    for number in range(first, first + A_CONNECTION):
        stub = swn.register_ex(ip=address, client=f"crowd-{number:05}", keep_alive=3600)
        handle, code = swn.handle_reply(conn.call(swn.REGISTER_EX, stub))
        assert code == 0, f"registration {number}: {code}"
        conn.start(swn.ASYNC_NOTIFY, handle)
    return conn


def main():
    addr, port, address, number = sys.argv[1], int(sys.argv[2]), sys.argv[3], int(sys.argv[4])
    users = sys.argv[5:]
    kept = [crowd(addr, port, address, users[i % len(users)], i * A_CONNECTION) for i in range(number)]
    probe = Probe(addr, port)
    probe.start()
    print(f"registered {len(kept) * A_CONNECTION}", flush=True)
    for _ in sys.stdin:
        worst, probe.worst = probe.worst, 0.0
        print(f"worst {worst * 1000:.1f}", flush=True)


if __name__ == "__main__":
    main()
