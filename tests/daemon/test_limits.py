# SPDX-License-Identifier: GPL-3.0-or-later
"""Limits and time-outs: what is over them is refused, and everybody else is served."""
import ctypes
import os
import re
import resource
import socket
import struct
import subprocess
import time

import conftest
import pytest
import rawrpc as r
import swn
from impacket import ntlm
from ports import free_port


def register_code(conn, **kw):
    return swn.handle_reply(conn.call(swn.REGISTER_EX, swn.register_ex(**kw)))[1]


def test_registrations_of_one_group(start_daemon):
    daemon = start_daemon({"witness.max_registrations_connection": 3})
    with daemon.ntlm() as conn, daemon.ntlm() as other:
        codes = [register_code(conn) for _ in range(5)]
        assert codes == [0, 0, 0, swn.NO_RESOURCES, swn.NO_RESOURCES]
        assert register_code(other) == 0


def test_a_host_that_waits_for_all_its_registrations_on_one_connection(start_daemon):
    daemon = start_daemon()
    with daemon.ntlm(flags=3 | r.MPX) as conn:
        handles = [daemon.register(conn) for _ in range(256)]
        for handle in handles:
            conn.start(swn.ASYNC_NOTIFY, handle)
        ended = conn.start(swn.UNREGISTER, handles[0])
        answers = {pdu.call_id: conn.unprotect(pdu) for pdu in (conn.recv(), conn.recv())}
        assert swn.werror(answers[ended]) == 0


def test_connections_of_one_principal(start_daemon):
    daemon = start_daemon({"rpc.max_connections_principal": 2})
    with daemon.ntlm() as one, daemon.ntlm() as two:
        for conn in (one, two):  # an answer means that it is the first or second to have logged on
            swn.interfaces(conn.call(swn.GET_INTERFACE_LIST))
        with daemon.ntlm() as three:
            assert three.closed()
        with daemon.ntlm(user=daemon.other_user, password=daemon.other_password) as bob:
            swn.interfaces(bob.call(swn.GET_INTERFACE_LIST))
        two.close()
        conftest.wait_for(lambda: daemon.json("status")["rpc"]["stats"]["connections"] == 1,
                          "the connection is closed")
        with daemon.ntlm() as again:
            swn.interfaces(again.call(swn.GET_INTERFACE_LIST))


def test_guesses_are_delayed_as_configured(start_daemon):
    daemon = start_daemon({"rpc.max_auth_failures": 1})
    start = time.monotonic()
    for _ in range(4):
        with daemon.ntlm(password="wrong") as conn:
            conn.send(conn.protect(swn.GET_INTERFACE_LIST, b"", 9))
            conn.expect_fault(r.ACCESS_DENIED)
    assert time.monotonic() - start > 1.5


def test_registrations_of_one_principal(start_daemon):
    daemon = start_daemon({"witness.max_registrations_principal": 3})
    with daemon.ntlm() as one, daemon.ntlm() as two:
        assert [register_code(one), register_code(two), register_code(one)] == [0, 0, 0]
        assert register_code(two) == swn.NO_RESOURCES
        with daemon.ntlm(user=daemon.other_user, password=daemon.other_password) as bob:
            assert register_code(bob) == 0


def test_registrations_in_all(start_daemon):
    daemon = start_daemon({"witness.max_registrations": 2})
    with daemon.ntlm() as conn:
        handle = daemon.register(conn)
        assert register_code(conn) == 0
        assert register_code(conn) == swn.NO_RESOURCES
        assert swn.werror(conn.call(swn.UNREGISTER, handle)) == 0
        assert register_code(conn) == 0


def test_refusals_are_counted_and_logged_once(start_daemon):
    daemon = start_daemon({"witness.max_registrations": 1})
    assert "Refused" not in daemon.ctl("status").stdout
    with daemon.ntlm() as conn:
        assert [register_code(conn) for _ in range(5)] == [0] + [swn.NO_RESOURCES] * 4
    refused = daemon.json("status")["witness"]["refused"]
    assert refused == {"registrations": 4, "registrations_principal": 0, "registrations_connection": 0}
    assert "Refused     0 connections, 4 registrations" in daemon.ctl("status").stdout
    lines = [line for line in daemon.text().splitlines() if "witness.max_registrations is reached" in line]
    assert len(lines) == 1 and daemon.user in lines[0] and "warning" in lines[0].lower(), lines


def limited(daemon):
    """{key: times}, of the limits that somebody has run into."""
    return {key: times for key, times in daemon.json("status")["limited"].items() if times}


def test_all_that_has_a_limit_is_in_the_metrics(start_daemon):
    daemon = start_daemon({"rpc.max_request": 8192})
    text = daemon.ctl("metrics").stdout
    assert 'witnessd_limit{limit="rpc.max_request"} 8192\n' in text
    for key in daemon.json("status")["limits"]:
        assert f'witnessd_limited_total{{limit="{key}"}} 0\n' in text, key
    with daemon.conn() as conn:
        conn.send(r.request(0, b"", 2, hint=9000, flags=r.FIRST)).expect_fault(r.ACCESS_DENIED, closes=True)
    assert limited(daemon) == {"rpc.max_request": 1}
    assert 'witnessd_limited_total{limit="rpc.max_request"} 1\n' in daemon.ctl("metrics").stdout
    assert "a connection from 127.0.0.1 has reached rpc.max_request" in daemon.text()


def test_the_limit_of_connections_is_the_one_in_force():
    """Where the daemon may not have as many files as the configuration wants, and may not raise that."""
    daemon = conftest.Daemon({"rpc.max_connections": 2000})
    daemon.argv = ["prlimit", "--nofile=1000:1000", "setpriv", "--bounding-set=-sys_resource", *daemon.argv]
    try:
        daemon.start()
        assert daemon.json("status")["limits"]["rpc.max_connections"] == 1000 - 256
        assert "at most 744 connections instead of rpc.max_connections = 2000" in daemon.text()
    finally:
        daemon.stop()


def test_who_has_tried_our_patience_makes_room(start_daemon):
    daemon = start_daemon({"rpc.max_unauthenticated": 1, "rpc.patience": 1})
    with daemon.raw() as silent:
        conftest.wait_for(lambda: daemon.json("status")["rpc"]["stats"]["unauthenticated"] == 1, "it is there")
        with daemon.ntlm() as conn:
            swn.interfaces(conn.call(swn.GET_INTERFACE_LIST))
        assert silent.closed()
    assert limited(daemon) == {"rpc.patience": 1}


def test_calls_of_a_registration_and_one_without(start_daemon):
    daemon = start_daemon({"witness.unused_timeout": 1})
    with daemon.ntlm(flags=3 | r.MPX) as conn:
        handle = daemon.register(conn)
        pending = [conn.start(swn.ASYNC_NOTIFY, handle) for _ in range(4)]
        assert swn.notify(conn.call(swn.ASYNC_NOTIFY, handle))[0] == swn.NO_RESOURCES
        assert limited(daemon) == {"witness.notify_calls": 1}
        daemon.register(conn, client="other")
        conftest.wait_for(lambda: limited(daemon) == {"witness.notify_calls": 1, "witness.unused_timeout": 1},
                          "the one without a call is deleted")
        daemon.ctl("static", "address", "127.0.77.2", "down")
        assert swn.notify(conn.finish(pending[0]))[0] == 0


def test_fragments_and_bytes_of_a_request(start_daemon):
    daemon = start_daemon({"rpc.max_fragments": 3, "rpc.max_request": 8192})
    for piece, fragments in ((b"", 4), (b"x" * 4096, 3)):
        with daemon.conn() as conn:
            for n in range(fragments):
                conn.send(r.request(0, piece, 2, hint=0, flags=0 if n else r.FIRST))
            conn.expect_fault(r.ACCESS_DENIED, closes=True)
    assert limited(daemon) == {"rpc.max_fragments": 1, "rpc.max_request": 1}


def test_fragments_that_drip(start_daemon):
    """Each comes in time, and each could be the last but one."""
    daemon = start_daemon({"rpc.request_timeout": 1})
    with daemon.conn() as conn:
        start = time.monotonic()
        with pytest.raises(OSError):
            conn.send(r.request(0, b"x", 2, hint=0, flags=r.FIRST))
            while time.monotonic() - start < 20:
                conn.send(r.request(0, b"x", 2, hint=0, flags=0))
                time.sleep(0.1)
        assert 0.7 < time.monotonic() - start < 8
    assert limited(daemon) == {"rpc.request_timeout": 1}


def test_contexts_and_calls_of_a_connection(start_daemon):
    daemon = start_daemon({"rpc.max_contexts": 1, "rpc.max_security_contexts": 1, "rpc.max_calls": 1})
    with daemon.ntlm(flags=3 | r.MPX) as conn:
        handle = daemon.register(conn)
        conn.start(swn.ASYNC_NOTIFY, handle)
        conn.start(swn.ASYNC_NOTIFY, handle)
        conn.expect_fault(0x1C010014)  # nca_s_server_too_busy
        ack = conn.ask(r.bind(r.context(1, r.MGMT), ptype=r.ALTER, call_id=7))
        assert ack.ptype == r.ALTER_RESP and ack.results == [(2, 3)]  # local limit exceeded
        conn.send(r.bind(r.context(0, r.WITNESS), ptype=r.ALTER, call_id=8, auth=r.trailer(10, 5, 0, 99) + b"x" * 40))
        conn.expect_fault(r.PROTO, closes=True)
    assert limited(daemon) == {"rpc.max_calls": 1, "rpc.max_contexts": 1, "rpc.max_security_contexts": 1}


def test_who_does_not_read_is_closed(start_daemon):
    daemon = start_daemon({"rpc.unsent_timeout": 1, "rpc.max_unsent": 65536, "global.log_level": "notice"})
    with daemon.ntlm(flags=3 | r.MPX) as conn:
        conn.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)
        with pytest.raises((ConnectionError, TimeoutError)):
            while True:
                conn.start(swn.GET_INTERFACE_LIST)
        conftest.wait_for(lambda: limited(daemon) == {"rpc.unsent_timeout": 1}, "it is closed")
    conftest.wait_for(lambda: daemon.json("status")["rpc"]["stats"]["buffered"] == 0, "what it had is freed")


def test_memory_of_all_is_taken_from_who_has_most(start_daemon):
    daemon = start_daemon({"rpc.max_buffered": 1})
    with daemon.ntlm() as waiting:
        pending = waiting.start(swn.ASYNC_NOTIFY, daemon.register(waiting))
        hogs = [daemon.conn() for _ in range(6)]
        try:
            for hog in hogs:
                for n in range(50):
                    hog.send(r.request(0, b"x" * 4096, 2, hint=0, flags=0 if n else r.FIRST))
            conftest.wait_for(lambda: limited(daemon).get("rpc.max_buffered"), "there is too much")
            assert 1 <= len(drained(hogs)) < 6
            assert daemon.json("status")["rpc"]["stats"]["buffered"] <= 1024 * 1024
            daemon.ctl("static", "address", "127.0.77.2", "down")
            assert swn.notify(waiting.finish(pending))[0] == 0
        finally:
            for hog in hogs:
                hog.close()
    conftest.wait_for(lambda: daemon.json("status")["rpc"]["stats"]["buffered"] == 0, "all is freed")


def vanish(sock):
    """From now on the socket throws away what comes, and its host says nothing about it."""
    drop = ctypes.create_string_buffer(struct.pack("HBBI", 0x06, 0, 0, 0))  # BPF_RET, 0 bytes
    sock.setsockopt(socket.SOL_SOCKET, 26, struct.pack("HL", 1, ctypes.addressof(drop)))  # SO_ATTACH_FILTER


def test_clients_that_vanish(start_daemon):
    """While they wait for an answer, and while one is on its way to them."""
    daemon = start_daemon({"rpc.keepalive": 1})
    with daemon.ntlm() as silent, daemon.ntlm() as told, daemon.ntlm() as alive:
        pending = alive.start(swn.ASYNC_NOTIFY, daemon.register(alive, ip="127.0.77.3"))
        silent.start(swn.ASYNC_NOTIFY, daemon.register(silent, ip="127.0.77.3"))
        told.start(swn.ASYNC_NOTIFY, daemon.register(told))
        for conn in (silent, told):
            vanish(conn.sock)
        daemon.ctl("static", "address", "127.0.77.2", "down")
        conftest.wait_for(lambda: daemon.json("status")["rpc"]["stats"]["connections"] == 1, "they are gone", 40)
        assert limited(daemon) == {"rpc.keepalive": 2}
        daemon.ctl("static", "address", "127.0.77.3", "down")
        assert swn.notify(alive.finish(pending))[0] == 0


def cpu_seconds(pid):
    with open(f"/proc/{pid}/stat", encoding="ascii") as f:
        fields = f.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def test_no_descriptors_are_left(start_daemon):
    """
    Clients who come then are refused or wait, without the daemon turning in circles; the others go on. The same
    for those of the control socket and collectors of metrics, whose libraries would try for ever.
    """
    options = {"metrics.listen": "127.0.77.1", "metrics.port": free_port()}
    daemon = start_daemon(options)
    pid = daemon.process.pid
    soft, hard = resource.prlimit(pid, resource.RLIMIT_NOFILE)
    late = []
    with daemon.ntlm() as conn:
        handle = daemon.register(conn)
        # Below the highest one that is open: from now on there is none left.
        resource.prlimit(pid, resource.RLIMIT_NOFILE, (3, hard))
        try:
            before = cpu_seconds(pid)
            late = [daemon.raw() for _ in range(20)]
            late += [socket.socket(socket.AF_UNIX) for _ in range(2)]
            for sock in late[-2:]:
                sock.connect((b"\0" + daemon.control.encode()).ljust(108, b"\0"))  # as libqb names it
            late += [r.Conn(daemon.addr, options["metrics.port"]) for _ in range(2)]
            conftest.wait_for(lambda: "cannot accept a connection" in daemon.text(), "it is logged")
            assert swn.interfaces(conn.call(swn.GET_INTERFACE_LIST))
            time.sleep(2)
            assert cpu_seconds(pid) - before < 0.5
            assert daemon.text().count("cannot accept a connection") < 50
            assert len(daemon.text()) < 200000
        finally:
            resource.prlimit(pid, resource.RLIMIT_NOFILE, (soft, hard))
            for raw in late:
                raw.close()
        with daemon.ntlm() as fresh:
            assert register_code(fresh) == 0
        times = daemon.json("status")["limited"]
        for key in {"rpc.files", "global.control_files", "metrics.files"} & set(times):  # there may be no HTTP
            assert 0 < times[key] < 50, key
        pending = conn.start(swn.ASYNC_NOTIFY, handle)
        daemon.ctl("static", "address", "127.0.77.2", "down")
        assert swn.notify(conn.finish(pending))[0] == 0


def drained(conns):
    """Those of the connections that the server has not closed."""
    alive = []
    for conn in conns:
        conn.sock.settimeout(0.01)
        try:
            if conn.sock.recv(1):
                alive.append(conn)
        except (TimeoutError, BlockingIOError):
            alive.append(conn)
        except OSError:
            pass
    return alive


def test_half_open_connections_of_one_source(start_daemon):
    daemon = start_daemon({"rpc.max_unauthenticated_source": 5, "rpc.bind_timeout": 60})
    conns = []
    try:
        for _ in range(30):
            conns.append(daemon.raw())
        deadline = time.monotonic() + 10
        while len(drained(conns)) > 5 and time.monotonic() < deadline:
            time.sleep(0.05)
        assert len(drained(conns)) == 5
        with r.Conn(daemon.addr, daemon.port, source="127.0.77.9") as other:
            assert other.bind(r.context(0, r.MGMT)).results == [(0, 0)]
    finally:
        for conn in conns:
            conn.close()


@pytest.mark.parametrize("sent", [b"", r.bind(r.context(0, r.MGMT))[:10],
                                  r.bind(r.context(0, r.MGMT))[:40]], ids=["silent", "header", "half"])
def test_bind_that_does_not_come(start_daemon, sent):
    daemon = start_daemon({"rpc.bind_timeout": 1})
    with daemon.raw() as conn:
        start = time.monotonic()
        assert conn.send(sent).closed(timeout=10)
        assert 0.7 < time.monotonic() - start < 8


def test_dripping_does_not_win_time(start_daemon):
    daemon = start_daemon({"rpc.bind_timeout": 1})
    with daemon.raw() as conn:
        start = time.monotonic()
        with pytest.raises(OSError):
            for byte in r.bind(r.context(0, r.MGMT)) * 3:
                conn.send(bytes([byte]))
                time.sleep(0.1)
        assert time.monotonic() - start < 8


def test_dripped_request(start_daemon):
    daemon = start_daemon({"rpc.pdu_timeout": 1})
    with daemon.ntlm() as conn:
        swn.interfaces(conn.call(swn.GET_INTERFACE_LIST))
        start = time.monotonic()
        with pytest.raises(OSError):
            for byte in conn.protect(swn.GET_INTERFACE_LIST, b"", 9):
                conn.send(bytes([byte]))
                time.sleep(0.1)
        assert time.monotonic() - start < 8


def test_authentication_that_is_not_finished(start_daemon):
    class Lazy(r.NtlmConn):
        def send_auth3(self):
            pass
    daemon = start_daemon({"rpc.auth_timeout": 1})
    with Lazy(daemon) as conn:
        assert conn.closed(timeout=10)


def negotiate(conn, auth_ctx):
    """Begin another security context, which is answered; no more of it."""
    token = ntlm.getNTLMSSPType1("", "", True, use_ntlmv2=True)
    token["os_version"] = b"\x0a\x00\x61\x4a\x00\x00\x00\x0f"
    return conn.send(r.bind(r.context(0, r.WITNESS), ptype=r.ALTER, call_id=50 + auth_ctx,
                            auth=r.trailer(10, 5, 0, auth_ctx) + token.getData()))


def test_contexts_that_are_not_finished_after_one_that_is(start_daemon):
    """Who has logged on once has no longer for another security context than for the first."""
    daemon = start_daemon({"rpc.auth_timeout": 2})

    class HalfOpen(r.NtlmConn):
        def send_auth3(self):
            assert negotiate(self, 7).recv().ptype == r.ALTER_RESP
            super().send_auth3()

    with daemon.ntlm() as good, HalfOpen(daemon) as before, daemon.ntlm() as after:
        swn.interfaces(before.call(swn.GET_INTERFACE_LIST))  # it has logged on
        assert negotiate(after, 7).recv().ptype == r.ALTER_RESP
        swn.interfaces(after.call(swn.GET_INTERFACE_LIST))
        assert before.closed(timeout=20) and after.closed(timeout=20)
        assert limited(daemon) == {"rpc.auth_timeout": 2}
        swn.interfaces(good.call(swn.GET_INTERFACE_LIST))


def test_contexts_at_the_same_time(start_daemon):
    daemon = start_daemon()
    with daemon.ntlm() as conn:
        swn.interfaces(conn.call(swn.GET_INTERFACE_LIST))
        for auth_ctx in (7, 8):
            assert negotiate(conn, auth_ctx).recv().ptype == r.ALTER_RESP
        negotiate(conn, 9).expect_fault(r.PROTO, closes=True)
    assert limited(daemon) == {"rpc.max_security_contexts": 1}


def test_idle_connection_goes_and_a_registered_one_stays(start_daemon):
    daemon = start_daemon({"rpc.idle_timeout": 1})
    with daemon.ntlm() as idle, daemon.ntlm() as waiting:
        handle = daemon.register(waiting)
        pending = waiting.start(swn.ASYNC_NOTIFY, handle)
        swn.interfaces(idle.call(swn.GET_INTERFACE_LIST))
        assert idle.closed(timeout=10)
        daemon.ctl("static", "address", "127.0.77.2", "down")
        assert swn.notify(waiting.finish(pending))[0] == 0


def rss(daemon):
    """Bytes of memory that it takes."""
    with open(f"/proc/{daemon.process.pid}/status", encoding="ascii") as f:
        return int(next(line for line in f if line.startswith("VmRSS")).split()[1]) * 1024


def grown(daemon, before):
    """rss() more than before. Not with ASan, which keeps what has been freed."""
    return 0 if "asan" in conftest.BUILD else rss(daemon) - before


def test_client_that_does_not_read(start_daemon):
    """It is not read from, either, when half of rpc.max_unsent is there."""
    daemon = start_daemon({"rpc.max_unsent": 1 << 20, "global.log_level": "notice"})
    with daemon.ntlm() as other, daemon.ntlm(flags=3 | r.MPX) as deaf:
        swn.interfaces(other.call(swn.GET_INTERFACE_LIST))
        before = rss(daemon)
        deaf.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)
        deaf.sock.settimeout(1)
        with pytest.raises(OSError):
            while True:
                deaf.start(swn.GET_INTERFACE_LIST)
        assert 512 * 1024 < daemon.json("status")["rpc"]["stats"]["buffered"] < 768 * 1024
        assert grown(daemon, before) < 8 << 20
        swn.interfaces(other.call(swn.GET_INTERFACE_LIST))


def test_short_answers_cost_what_is_counted(start_daemon):
    """Strangers ask for what does not exist, and do not read what they are told."""
    daemon = start_daemon({"rpc.max_buffered": 4, "rpc.unsent_timeout": 600, "rpc.pdu_timeout": 600,
                           "rpc.auth_timeout": 600, "global.log_level": "notice"})
    deaf = [r.Conn(daemon.addr, daemon.port, options=r.DEAF) for _ in range(16)]
    try:
        for conn in deaf:
            conn.bind(r.context(0, r.MGMT))
            conn.sock.setblocking(False)
        before, most, requests = rss(daemon), 0, r.request(99) * 2000
        rest = {conn: b"" for conn in deaf}
        deadline = time.monotonic() + 120
        while not limited(daemon):
            assert time.monotonic() < deadline, (daemon.json("status")["rpc"]["stats"], most)
            for conn in deaf:
                try:
                    for _ in range(50):
                        rest[conn] = rest[conn] or requests
                        rest[conn] = rest[conn][conn.sock.send(rest[conn]):]
                except OSError:  # it is full, or closed
                    pass
            buffered = daemon.json("status")["rpc"]["stats"]["buffered"]
            most = max(most, buffered)
            assert grown(daemon, before) < 2 * max(buffered, 1 << 20) + (12 << 20), buffered
        assert set(limited(daemon)) == {"rpc.max_buffered"}
        assert most <= 4 << 20 and grown(daemon, before) < 20 << 20
        with daemon.ntlm() as other:
            swn.interfaces(other.call(swn.GET_INTERFACE_LIST))
    finally:
        for conn in deaf:
            conn.close()
    conftest.wait_for(lambda: daemon.json("status")["rpc"]["stats"]["buffered"] == 0, "what they had is freed")


def test_clients_that_are_told_together_are_not_probed_together(daemon):
    """TCP's probes of thousands of connections at the same moment would be lost."""
    conns = [daemon.conn() for _ in range(31)]
    try:
        out = subprocess.run(["ss", "-Htno", f"sport = :{daemon.port}"], stdout=subprocess.PIPE, text=True, check=True,
                             timeout=30).stdout
        seconds = [float(left) for left in re.findall(r"timer:\(keepalive,([0-9.]+)sec,0\)", out.replace("1min", "60sec"))]
        assert len(seconds) == 31 and len({round(left) for left in seconds}) > 20, out
        assert 20 < min(seconds) and max(seconds) <= 60, out
    finally:
        for conn in conns:
            conn.close()
