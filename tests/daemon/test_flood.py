# SPDX-License-Identifier: GPL-3.0-or-later
"""A flood from one source: others are registered and notified meanwhile, and nothing of it is left afterwards."""
import ctypes
import os
import select
import socket
import subprocess
import threading
import time

import conftest
import pytest
import rawrpc as r
import swn

CLONE_NEWNET = 0x40000000
SERVED_WITHIN = 8  # seconds: patience, a busy machine, and then some
KEPT = 600  # sockets of an attacker
ATTACKER, CLIENT = "127.0.0.2", "127.0.0.3"
BAD_NET, GOOD = "fd00:bad::", "fd00:600d::1"
SERVER6 = "fd00:77::1"


@pytest.fixture(scope="module", autouse=True)
def network():
    """A network of our own, in which a host has as many addresses as it likes."""
    libc = ctypes.CDLL(None, use_errno=True)
    home = os.open("/proc/self/ns/net", os.O_RDONLY)
    if libc.unshare(CLONE_NEWNET) != 0:
        os.close(home)
        pytest.skip("no network of one's own without root")
    try:
        subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
        for addr in (SERVER6, GOOD):
            subprocess.run(["ip", "address", "add", f"{addr}/128", "dev", "lo", "nodad"], check=True)
        subprocess.run(["ip", "-6", "route", "add", "local", "fd00::/16", "dev", "lo"], check=True)
        yield
    finally:
        libc.setns(home, CLONE_NEWNET)
        os.close(home)


def still_open(socks):
    """Those that the server has not closed, after a moment; the others are closed here, too."""
    by_fd = {sock.fileno(): sock for sock in socks}
    poll = select.poll()
    for fd in by_fd:
        poll.register(fd, select.POLLIN)
    for fd, _ in poll.poll(50):
        by_fd.pop(fd).close()
    return list(by_fd.values())


class Attack:
    """Threads that go on until the end of the block, whatever the server thinks of them."""

    def __init__(self, *steps):
        self.over = threading.Event()
        self.counts = [0] * len(steps)
        self.threads = [threading.Thread(target=self.run, args=(n, step)) for n, step in enumerate(steps)]

    def run(self, n, step):
        kept = []
        while not self.over.is_set():
            if len(kept) >= KEPT:
                kept = still_open(kept)
                continue
            try:
                step(kept)
            except (OSError, AssertionError, r.RpcFault):  # refused, closed, or told off
                time.sleep(0.001)
            self.counts[n] += 1
        for sock in kept:
            sock.close()

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        for thread in self.threads:
            thread.join()


def connect(daemon, source):
    """Without waiting for anything, and with whatever address."""
    family = socket.AF_INET6 if ":" in source else socket.AF_INET
    sock = socket.socket(family)
    if family == socket.AF_INET6:
        sock.setsockopt(socket.IPPROTO_IPV6, 78, 1)  # IPV6_FREEBIND
    sock.bind((source, 0))
    sock.settimeout(1)
    sock.connect((daemon.addr, daemon.port))
    return sock


def silent(daemon, source):
    """Opens connections and says nothing."""
    def step(kept):
        kept.append(connect(daemon, source()))
    return step


def half_bind(daemon, source):
    piece = r.bind(r.context(0, r.WITNESS))[:40]

    def step(kept):
        kept.append(connect(daemon, source()))
        kept[-1].sendall(piece)
    return step


def guess(daemon, source):
    def step(_):
        with daemon.ntlm(password="wrong", source=source()) as conn:
            conn.call(swn.GET_INTERFACE_LIST)
    return step


def register(daemon, conn):
    def step(_):
        for _ in range(50):
            conn.start(swn.REGISTER_EX, swn.register_ex(client="flood"))
        for _ in range(50):
            conn.finish()
    return step


def facts(daemon):
    pid = daemon.process.pid
    with open(f"/proc/{pid}/status", encoding="ascii") as f:
        rss = int(next(line for line in f if line.startswith("VmRSS")).split()[1])
    return len(os.listdir(f"/proc/{pid}/fd")), rss


def serve(daemon, source):
    """One client from its first packet to its notification. @return the seconds that it took"""
    began = time.monotonic()
    with daemon.ntlm(user=daemon.other_user, password=daemon.other_password, source=source) as conn:
        pending = conn.start(swn.ASYNC_NOTIFY, daemon.register(conn))
        daemon.ctl("static", "address", "127.0.77.2", "down")
        code, kind, records = swn.notify(conn.finish(pending, timeout=30))
        assert (code, kind, records) == (0, swn.RESOURCE_CHANGE, [(swn.UNAVAILABLE, "127.0.77.2")])
    daemon.ctl("static", "address", "127.0.77.2", "up")
    return time.monotonic() - began


def limited(daemon, name):
    return daemon.json("status")["limited"][name]


def test_one_source_does_everything_at_once(start_daemon):
    daemon = start_daemon({"global.log_level": "notice"})
    serve(daemon, CLIENT)  # what is loaded and kept once is there
    files, rss = facts(daemon)
    with daemon.ntlm(source=ATTACKER, flags=3 | r.MPX) as conn:
        with Attack(silent(daemon, lambda: ATTACKER), half_bind(daemon, lambda: ATTACKER),
                    guess(daemon, lambda: ATTACKER), register(daemon, conn)) as attack:
            times = []
            while len(times) < 4 or sum(attack.counts) < 6000:
                times.append(serve(daemon, CLIENT))
                assert max(times) < SERVED_WITHIN, times
    for name in ("rpc.max_unauthenticated_source", "witness.max_registrations_connection"):
        assert limited(daemon, name) > 0, name
    text = daemon.text()
    assert text.count("has reached rpc.") <= 2, text[-4000:]  # of thousands, one a source and minute
    assert ATTACKER in next(line for line in text.splitlines() if "has reached rpc." in line)
    conftest.wait_for(lambda: daemon.json("status")["rpc"]["stats"]["connections"] == 0, "all connections end")
    conftest.wait_for(lambda: facts(daemon)[0] <= files, "all descriptors are closed")
    assert facts(daemon)[1] < rss + 40 * 1024
    serve(daemon, ATTACKER)  # who is served again as anybody


def test_a_host_with_a_whole_ipv6_network(start_daemon):
    """Places are shared by networks: what others need is not a question of how many addresses somebody has."""
    daemon = start_daemon({"rpc.listen": f"127.0.77.1 {SERVER6}", "rpc.max_unauthenticated": 20, "rpc.patience": 1,
                           "global.log_level": "notice"})
    daemon.addr = SERVER6
    numbers = iter(range(1, 1 << 30))

    def any_address():
        return f"{BAD_NET}{next(numbers):x}"

    with Attack(silent(daemon, any_address)) as attack:
        conftest.wait_for(lambda: daemon.json("status")["rpc"]["stats"]["waiting"] > 400, "others wait, too")
        times = [serve(daemon, GOOD) for _ in range(3)]
        stats = daemon.json("status")["rpc"]["stats"]
    assert attack.counts[0] > 420 and stats["unauthenticated"] <= 20
    assert max(times) < SERVED_WITHIN, times
    assert limited(daemon, "rpc.patience") > 0
    conftest.wait_for(lambda: daemon.json("status")["rpc"]["stats"]["connections"] == 0, "all connections end")
    assert daemon.json("status")["rpc"]["stats"]["waiting"] == 0


def test_a_whole_site_comes_at_once(start_daemon):
    """Who waits for a place gets one, also when all come from one network; and nobody is told to come again."""
    daemon = start_daemon({"rpc.listen": f"127.0.77.1 {SERVER6}", "rpc.max_unauthenticated": 20})
    daemon.addr = SERVER6
    poll, socks = select.poll(), {}
    try:
        for n in range(700):
            sock = connect(daemon, f"{BAD_NET}{n + 1:x}")
            sock.sendall(r.bind(r.context(0, r.MGMT)))
            socks[sock.fileno()] = sock
            poll.register(sock, select.POLLIN)
        deadline = time.monotonic() + 25
        while socks and time.monotonic() < deadline:
            for fd, _ in poll.poll(1000):
                assert socks[fd].recv(100)[2] == r.BIND_ACK
                poll.unregister(fd)
                socks.pop(fd).close()
        assert not socks, len(socks)
    finally:
        for sock in socks.values():
            sock.close()
    assert daemon.json("status")["rpc"]["stats"]["refused"] == 0
