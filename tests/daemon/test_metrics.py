# SPDX-License-Identifier: GPL-3.0-or-later
"""The metrics over HTTP."""
import contextlib
import http.client
import os
import signal
import socket
import subprocess
import time

import pytest

from conftest import BUILD, MAP, wait_for
from ports import free_port

ADDR, ADDR6 = "127.0.77.1", "::1"
PER_SOURCE, TIME = 4, 10  # metrics_http.h

pytestmark = pytest.mark.skipif(
    b"libmicrohttpd" not in subprocess.run(["ldd", os.path.join(BUILD, "witnessd")], capture_output=True, check=True).stdout,
    reason="this witnessd was built without libmicrohttpd")


def many_addresses():
    """Text that does not fit into a socket's buffers by far."""
    return MAP + "".join(f"[address 127.78.{n // 250}.{n % 250 + 1}]\nnode = n2\ngroup = g{n}\n" for n in range(2000))


@pytest.fixture(scope="module")
def served():
    from conftest import Daemon  # pylint: disable=import-outside-toplevel
    port = free_port()
    server = Daemon({"metrics.listen": f"{ADDR} {ADDR6}", "metrics.port": port}, cluster_map=many_addresses())
    server.metrics_port = port
    try:
        yield server.start()
        assert server.alive(), server.text()[-8000:]
    finally:
        server.stop()


def ask(daemon, method="GET", path="/metrics", addr=ADDR, source=None, **kw):
    conn = http.client.HTTPConnection(addr, daemon.metrics_port, timeout=20,
                                      source_address=(source, 0) if source else None)
    with contextlib.closing(conn):
        conn.request(method, path, **kw)
        reply = conn.getresponse()
        return reply.status, dict(reply.getheaders()), reply.read().decode()


def answers(daemon, source):
    """Whether it does, for one that may have too many connections still."""
    try:
        return ask(daemon, source=source)[0] == 200
    except OSError:
        return False


def connect(daemon, source):
    return socket.create_connection((ADDR, daemon.metrics_port), 20, (source, 0))


def ended(sock):
    """Whether the other side has closed."""
    try:
        return sock.recv(1) == b""
    except ConnectionError:
        return True


def cpu(daemon):
    with open(f"/proc/{daemon.process.pid}/stat", encoding="ascii") as f:
        return sum(int(n) for n in f.read().rsplit(")", 1)[1].split()[11:13]) / os.sysconf("SC_CLK_TCK")


def names(text):
    return [line.split()[0] for line in text.splitlines() if not line.startswith("#")]


def test_a_collector_gets_what_witnessctl_shows(served):
    for addr in (ADDR, ADDR6):
        status, headers, text = ask(served, addr=addr)
        assert status == 200 and headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
        assert names(text) == names(served.ctl("metrics").stdout)
    status, headers, text = ask(served, "HEAD")
    assert status == 200 and text == "" and int(headers["Content-Length"]) > 80000
    assert ask(served, path="/metrics?name=x")[0] == 200


def test_the_numbers_follow(served):
    def connections():
        return [line for line in ask(served)[2].splitlines() if line.startswith("witnessd_connections ")]

    before = connections()
    with served.ntlm():
        wait_for(lambda: connections() != before, "the connection is counted")
    wait_for(lambda: connections() == before, "it is not counted any more")


def test_nothing_else_is_served(served):
    for path in ("/", "/metrics/", "/../etc/passwd", "//metrics", "/" + "a" * 4000):
        assert ask(served, path=path)[0] == 404, path
    for method in ("POST", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE", "X"):
        status, headers, _ = ask(served, method)
        assert status == 405 and headers["Allow"] == "GET, HEAD", method
    for raw in (b"\r\n\r\n", b"\0" * 100, b"GET\r\n\r\n", b"GET /metrics HTTP/9.9\r\n\r\n", b"\x05\x00\x0b\x03" * 30,
                b"GET /metrics HTTP/1.1\r\n\r\n", b"GET /metrics HTTP/1.1\r\nHost: a\r\n" + b"X: y\r\n" * 10000 + b"\r\n",
                b"POST /metrics HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999999999999999\r\n\r\n"):
        # It may close before it has read all.
        with connect(served, "127.0.0.3") as sock, contextlib.suppress(OSError):
            sock.sendall(raw)
            sock.shutdown(socket.SHUT_WR)
            while sock.recv(65536):
                pass
    assert ask(served)[0] == 200


def limited(daemon, name):
    return daemon.json("status")["limited"][f"metrics.{name}"]


def test_limits_are_counted(served):
    """Of one source, and of all: who comes then waits, and is served when there is room."""
    before = {name: limited(served, name) for name in ("max_connections", "max_connections_source")}
    with contextlib.ExitStack() as stack:
        conns = [stack.enter_context(connect(served, f"127.0.0.{2 + n % 4}")) for n in range(4 * PER_SOURCE - 1)]
        with connect(served, "127.0.0.2") as more:
            assert ended(more)
        assert limited(served, "max_connections_source") == before["max_connections_source"] + 1
        assert limited(served, "max_connections") == before["max_connections"]
        conns.append(stack.enter_context(connect(served, "127.0.0.5")))
        wait_for(lambda: limited(served, "max_connections") == before["max_connections"] + 1, "all are taken")
        waiting = stack.enter_context(connect(served, "127.0.0.6"))
        waiting.sendall(b"GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n")
        served.process.send_signal(signal.SIGSTOP)  # it sees all of them end at once
        for conn in conns:
            conn.close()
        served.process.send_signal(signal.SIGCONT)
        assert waiting.recv(12) == b"HTTP/1.1 200"
    wait_for(lambda: answers(served, "127.0.0.2"), "the source is served again")


def test_who_is_slow_holds_up_nobody_and_is_ended(served):
    began, used = time.monotonic(), cpu(served)
    with contextlib.ExitStack() as stack:
        silent, writer, reader, second = [stack.enter_context(connect(served, "127.0.0.2")) for _ in range(PER_SOURCE)]
        reader.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)
        for sock in (reader, second):
            sock.sendall(b"GET /metrics HTTP/1.1\r\nHost: a\r\n" + (b"\r\n" if sock is reader else b""))
        with connect(served, "127.0.0.2") as more:
            assert ended(more)  # one too many of this source
        writer.settimeout(0.5)
        writer.sendall(b"GET /metrics HTTP/1.1\r\n")
        while True:  # never silent for long
            assert time.monotonic() - began < TIME + 20
            try:
                writer.sendall(b"X: y\r\n")
                assert writer.recv(1) == b""
                break
            except socket.timeout:
                assert ask(served, source="127.0.0.3")[0] == 200
                assert served.ctl("ping").returncode == 0
            except ConnectionError:
                break
        assert time.monotonic() - began > TIME / 2
        assert ended(silent) and ended(second)
    # It waits for them, and does not look at them all the time.
    assert cpu(served) - used < (time.monotonic() - began) / 2
    wait_for(lambda: answers(served, "127.0.0.2"), "the source is served again")


def test_an_address_that_cannot_be_had_is_said(start_daemon):
    with socket.socket() as taken:
        taken.bind((ADDR, 0))
        taken.listen()
        port = taken.getsockname()[1]
        server = start_daemon({"metrics.listen": f"{ADDR} 127.0.77.9", "metrics.port": port})
        assert f"metrics.listen: the metrics are not served on {ADDR} port {port}: Address already in use" in server.text()
        server.metrics_port = port
        assert ask(server, addr="127.0.77.9")[0] == 200
