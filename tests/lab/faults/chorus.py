#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Clients of every address at every witness, and what each of them was told: chorus.py PORT USER:PASSWORD
NODE=WITNESS-ADDRESS ... ADDRESS ...

Each has a connection of its own to a node's fixed address, and behaves as Windows does: an AsyncNotify is
always under way; when the registration is ended it registers again, and when the connection is lost it
connects again. A line of JSON for whatever happens, with the monotonic clock. Beside them a probe asks each
witness something every 100 ms, on a connection of its own. All ends with standard input,
or in the middle of everything when that says "vanish".
"""
import json
import os
import signal
import sys
import threading
import time
from types import SimpleNamespace

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../daemon"))
import rawrpc as r  # noqa: E402  pylint: disable=wrong-import-position
import swn  # noqa: E402  pylint: disable=wrong-import-position

DOMAIN = "LAB"
STEP_S = 0.1
HOUR = 3600
one_line = threading.Lock()


def say(**event):
    with one_line:
        print(json.dumps({"time": time.clock_gettime(time.CLOCK_MONOTONIC), **event}), flush=True)


class Voice(threading.Thread):
    """A client of one address at one witness."""

    def __init__(self, where, node, vip):
        super().__init__(daemon=True)
        self.where, self.node, self.vip = where, node, vip

    def say(self, what, **more):
        say(what=what, node=self.node, vip=self.vip, **more)

    def run(self):
        while True:
            try:
                with r.NtlmConn(self.where, flags=r.FIRST | r.LAST | r.MPX) as conn:
                    while True:
                        self.listen(conn)
            except (OSError, AssertionError, r.RpcFault) as why:
                self.say("lost", why=str(why) or type(why).__name__)
            time.sleep(STEP_S)

    def listen(self, conn):
        """One registration to its end."""
        stub = swn.register_ex(ip=self.vip, client=f"{self.node}-{self.vip}", keep_alive=HOUR)
        handle, code = swn.handle_reply(conn.call(swn.REGISTER_EX, stub, timeout=5))
        if code != swn.SUCCESS:
            self.say("refused", code=code)
            time.sleep(STEP_S)
            return
        self.say("registered")
        while code == swn.SUCCESS:
            conn.start(swn.ASYNC_NOTIFY, handle)
            code, mtype, records = swn.notify(conn.finish(timeout=HOUR))
            if code == swn.SUCCESS:
                self.say("told", type=mtype, records=records)
        self.say("ended", code=code)


class Probe(threading.Thread):
    """Whether a witness serves: "up" when it answers again, "down" when it does not, with the time of the
    last answer."""

    def __init__(self, where, node):
        super().__init__(daemon=True)
        self.where, self.node = where, node

    def ask(self):
        with r.Conn(self.where.addr, self.where.port) as conn:
            conn.bind(r.context(0, r.MGMT))
            while True:
                answer = conn.ask(r.request(2), timeout=1)  # is_server_listening
                assert answer is not None, "closed"
                yield time.clock_gettime(time.CLOCK_MONOTONIC)
                time.sleep(STEP_S)

    def run(self):
        up, last = None, time.clock_gettime(time.CLOCK_MONOTONIC)
        while True:
            try:
                for last in self.ask():
                    if up is not True:
                        say(what="up", node=self.node)
                    up = True
            except (OSError, AssertionError):
                pass
            if up is not False:
                say(what="down", node=self.node, since=last)
            up = False
            time.sleep(STEP_S)


def main():
    port, user = int(sys.argv[1]), sys.argv[2].split(":")
    nodes = dict(word.split("=", 1) for word in sys.argv[3:] if "=" in word)
    vips = [word for word in sys.argv[3:] if "=" not in word]
    for node, addr in nodes.items():
        where = SimpleNamespace(addr=addr, port=port, user=user[0], password=user[1], domain=DOMAIN)
        Probe(where, node).start()
        for vip in vips:
            Voice(where, node, vip).start()
    for line in sys.stdin:
        if line.strip() == "vanish":
            os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    main()
