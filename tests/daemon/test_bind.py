# SPDX-License-Identifier: GPL-3.0-or-later
"""bind and alter_context: presentation contexts, sizes, flags, and what is refused."""
import struct

import pytest
import rawrpc as r

pytestmark = pytest.mark.usefixtures("bystander")
NO_SYNTAX = b"\0" * 20


@pytest.mark.parametrize("contexts,results", [
    ([r.context(0, r.WITNESS)], [(0, 0)]),
    ([r.context(0, r.WITNESS), r.context(1, r.WITNESS, r.NDR64), r.context(2, r.WITNESS, r.BTFN)],
     [(0, 0), (2, 2), (3, 3)]),
    ([r.context(0, r.WITNESS, r.NDR64)], [(2, 2)]),
    ([r.context(0, r.WITNESS, r.NDR64, r.NDR20)], [(0, 0)]),
    ([r.context(0, r.UNKNOWN)], [(2, 1)]),
    ([r.context(0, r.syntax("ccd8c074-d0e5-4a40-92b4-d074faa6ba28", 2, 1))], [(2, 1)]),
    ([r.context(0, r.syntax("ccd8c074-d0e5-4a40-92b4-d074faa6ba28", 1, 2))], [(2, 1)]),
    ([r.context(0, r.UNKNOWN), r.context(1, r.MGMT)], [(2, 1), (0, 0)]),
    ([r.context(0, r.WITNESS), r.context(1, r.MGMT)], [(0, 0), (2, 2)]),
], ids=["plain", "windows", "ndr64-only", "ndr64-first", "unknown-uuid", "major", "minor",
        "second-good", "one-a-bind"])
def test_context_results(daemon, contexts, results):
    with daemon.raw() as conn:
        ack = conn.bind(*contexts)
        assert ack.results == results
        for (result, _), transfer in zip(results, ack.transfers):
            assert transfer == (r.NDR20 if result == 0 else NO_SYNTAX)


@pytest.mark.parametrize("asked,given", [(100, 2048), (2048, 2048), (3199, 3192), (4280, 4280),
                                         (5840, 5840), (65535, 5840)])
def test_fragment_size(daemon, asked, given):
    with daemon.raw() as conn:
        ack = conn.bind(r.context(0, r.MGMT), xmit=asked, recv=65535)
        assert (ack.xmit, ack.recv) == (given, given)
    with daemon.raw() as conn:
        ack = conn.bind(r.context(0, r.MGMT), xmit=65535, recv=asked)
        assert (ack.xmit, ack.recv) == (given, given)


@pytest.mark.parametrize("flags,answer", [(0x03, 0x03), (0x07, 0x07), (0x13, 0x13), (0x17, 0x17),
                                          (0x00, 0x03), (0xff, 0x17)])
def test_flags_echo(daemon, flags, answer):
    with daemon.raw() as conn:
        assert conn.bind(r.context(0, r.MGMT), flags=flags).flags == answer


def test_call_id_and_group_are_answered(daemon):
    with daemon.raw() as conn:
        ack = conn.bind(r.context(7, r.MGMT), call_id=0xdeadbeef)
        assert ack.call_id == 0xdeadbeef and ack.assoc != 0


def test_big_endian_bind_is_answered_little_endian(daemon):
    def swap(syntax):
        f = struct.unpack("<IHH8sHH", syntax)
        return struct.pack(">IHH8s", *f[:4]) + struct.pack(">I", f[5] << 16 | f[4])
    body = struct.pack(">HHIBBH", 4280, 4280, 0, 1, 0, 0) + struct.pack(">HBB", 0, 1, 0)
    body += swap(r.MGMT) + swap(r.NDR20)
    raw = struct.pack(">BBBB4sHHI", 5, 0, r.BIND, 3, b"\0\0\0\0", 16 + len(body), 0, 9) + body
    with daemon.raw() as conn:
        ack = conn.ask(raw)
        assert ack.ptype == r.BIND_ACK and ack.call_id == 9 and ack.results == [(0, 0)]
        ask = struct.pack(">BBBB4sHHI", 5, 0, r.REQUEST, 3, b"\0\0\0\0", 24, 0, 10)
        answer = conn.ask(ask + struct.pack(">IHH", 0, 0, 2))
        assert answer.ptype == r.RESPONSE and answer.stub == struct.pack("<II", 0, 1)


@pytest.mark.parametrize("raw", [
    r.request(0), r.bind(r.context(0, r.MGMT), ptype=r.ALTER), r.empty(r.RTS, 1),
    r.bind(r.context(0, r.MGMT), vers=4), r.bind(r.context(0, r.MGMT), minor=1),
    r.bind(r.context(0, r.MGMT), drep=b"\x20\0\0\0"),
    r.bind(r.context(0, r.MGMT), drep=b"\x10\x01\0\0"), r.bind(),
], ids=["request", "alter", "rts", "version-4", "minor-1", "drep", "float", "no-contexts"])
def test_first_pdu_refused_with_nak_4(daemon, raw):
    with daemon.raw() as conn:
        conn.send(raw).expect_nak(4)


@pytest.mark.parametrize("raw", [
    r.header(r.BIND, 3, 15), r.header(r.BIND, 3, 0), r.header(r.BIND, 3, 16),
    r.bind(r.context(0, r.MGMT), n_ctx=9), r.header(99, 3, 16), r.empty(1, 1), r.empty(4, 1),
], ids=["frag-15", "frag-0", "header-only", "n-ctx-lies", "ptype-99", "ping", "working"])
def test_first_pdu_closes_silently(daemon, raw):
    with daemon.raw() as conn:
        assert conn.send(raw).closed()


def test_http_is_dropped_at_once(daemon):
    with daemon.raw() as conn:
        pdu = conn.send(b"GET / HTTP/1.0\r\n\r\n").recv(timeout=3)
        assert pdu is None or (pdu.ptype == r.BIND_NAK and conn.closed())


def test_second_bind(daemon):
    with daemon.conn() as conn:
        conn.send(r.bind(r.context(1, r.WITNESS), call_id=5)).expect_nak(0)


def test_context_without_transfer_syntax(daemon):
    with daemon.raw() as conn:
        conn.send(r.bind(struct.pack("<HBB", 0, 0, 0) + r.MGMT)).expect_nak(0)


def test_features_offered_twice(daemon):
    with daemon.raw() as conn:
        conn.send(r.bind(r.context(0, r.MGMT), r.context(1, r.MGMT, r.BTFN),
                         r.context(2, r.MGMT, r.BTFN))).expect_nak(0)


def test_unknown_association_group(daemon):
    with daemon.raw() as conn:
        conn.send(r.bind(r.context(0, r.MGMT), assoc=0x12345)).expect_nak(0)


def test_many_contexts_are_bounded(daemon):
    with daemon.raw() as conn:
        ack = conn.bind(*[r.context(i, r.UNKNOWN) for i in range(100)])
        assert len(ack.results) == 100
        assert all(result == 2 for result, _ in ack.results)


def alter(*contexts, **kw):
    return r.bind(*contexts, ptype=r.ALTER, call_id=kw.pop("call_id", 3), **kw)


def test_alter_adds_a_context(daemon):
    with daemon.conn() as conn:
        ack = conn.ask(alter(r.context(1, r.WITNESS), xmit=9, recv=9))
        assert ack.ptype == r.ALTER_RESP and ack.results == [(0, 0)] and ack.call_id == 3
        assert (ack.xmit, ack.recv, ack.assoc) == (conn.ack.xmit, conn.ack.recv, conn.ack.assoc)
        assert ack.sec_addr.strip(b"\0") == b""
        assert conn.ask(r.request(2, call_id=4)).stub == struct.pack("<II", 0, 1)


@pytest.mark.parametrize("contexts,results", [
    ([r.context(0, r.MGMT)], [(0, 0)]),
    ([r.context(0, r.MGMT, r.NDR64)], [(2, 2)]),
    ([r.context(1, r.UNKNOWN)], [(2, 1)]),
    ([r.context(1, r.WITNESS, r.BTFN)], [(2, 2)]),
], ids=["again", "ndr64", "unknown", "features"])
def test_alter_results(daemon, contexts, results):
    with daemon.conn() as conn:
        ack = conn.ask(alter(*contexts))
        assert ack.ptype == r.ALTER_RESP and ack.results == results


@pytest.mark.parametrize("raw", [
    alter(), alter(r.context(0, r.WITNESS)), alter(struct.pack("<HBB", 1, 0, 0) + r.WITNESS),
], ids=["no-contexts", "other-syntax-for-id", "no-transfer"])
def test_alter_protocol_errors(daemon, raw):
    with daemon.conn() as conn:
        conn.send(raw).expect_fault(r.PROTO, closes=True)


def test_request_on_a_refused_context(daemon):
    with daemon.raw() as conn:
        conn.bind(r.context(0, r.UNKNOWN), r.context(1, r.MGMT))
        conn.send(r.request(2, ctx_id=0)).expect_fault(r.UNK_IF, 0x23)
        assert conn.ask(r.request(2, ctx_id=1, call_id=3)).ptype == r.RESPONSE
