# SPDX-License-Identifier: GPL-3.0-or-later
"""Requests, fragments, faults, cancel: what the runtime does between a good bind and the interface."""
import struct

import pytest
import rawrpc as r
import swn

pytestmark = pytest.mark.usefixtures("bystander")
LISTENING = struct.pack("<II", 0, 1)  # is_server_listening: status 0, TRUE
IS_LISTENING = 2


def works(conn, call_id=99):
    """The connection still serves."""
    pdu = conn.ask(r.request(IS_LISTENING, call_id=call_id))
    return pdu is not None and pdu.ptype == r.RESPONSE and pdu.stub == LISTENING


def test_response_form(daemon):
    with daemon.conn() as conn:
        pdu = conn.ask(r.request(IS_LISTENING, call_id=77, hint=0xffffffff))
        assert pdu.ptype == r.RESPONSE and pdu.flags == 3 and pdu.call_id == 77
        assert pdu.hint == len(pdu.stub) and pdu.ctx_id == 0 and pdu.auth_length == 0


@pytest.mark.parametrize("raw", [
    r.empty(r.RESPONSE, 2), r.request(0, ptype=r.RESPONSE), r.empty(r.SHUTDOWN, 2),
    r.header(r.AUTH3, 3, 20, 0, 2) + b"\0" * 4, r.request(2, auth_length=999),
], ids=["empty-response", "response", "shutdown", "auth3-without-auth", "auth-length-lies"])
def test_protocol_errors_end_the_connection(daemon, raw):
    with daemon.conn() as conn:
        conn.send(raw).expect_fault(r.PROTO, 0x23, closes=True)


@pytest.mark.parametrize("raw", [r.header(99, 3, 16, 0, 2), r.empty(1, 2), r.header(r.REQUEST, 3, 4)],
                         ids=["ptype-99", "ping", "frag-4"])
def test_garbage_after_bind_closes(daemon, raw):
    with daemon.conn() as conn:
        pdu = conn.send(raw).recv()
        assert pdu is None or (pdu.ptype == r.FAULT and conn.closed())


def test_unknown_context(daemon):
    with daemon.conn() as conn:
        pdu = conn.send(r.request(2, ctx_id=5)).expect_fault(r.UNK_IF, 0x23, 2)
        assert pdu.ctx_id == 0 and works(conn)


@pytest.mark.parametrize("opnum", [5, 6, 1000, 65535])
def test_opnum_out_of_range(daemon, opnum):
    with daemon.conn() as conn:
        conn.send(r.request(opnum)).expect_fault(r.OP_RNG, 0x23, 2)
        assert works(conn)


def test_short_stub(daemon):
    with daemon.conn() as conn:
        conn.send(r.request(1, b"\0\0")).expect_fault(r.BAD_STUB, 0x03, 2)
        assert works(conn)


def test_extra_stub_bytes_are_ignored(daemon):
    with daemon.conn() as conn:
        assert conn.ask(r.request(2, b"extra" * 20)).stub == LISTENING


@pytest.mark.parametrize("flags", [0, r.LAST], ids=["middle", "last"])
def test_fragment_of_no_call(daemon, flags):
    with daemon.conn() as conn:
        conn.send(r.request(2, flags=flags)).expect_fault(r.PROTO, 0x03, closes=True)


def test_first_with_pending_cancel(daemon):
    with daemon.conn() as conn:
        conn.send(r.request(2, flags=3 | r.PENDING_CANCEL)).expect_fault(r.NO_CALL, 0x23, closes=True)


@pytest.mark.parametrize("mpx,faulted", [(0, 2), (r.MPX, 3)], ids=["plain", "mpx"])
def test_second_first_fragment(daemon, mpx, faulted):
    with daemon.conn(flags=3 | mpx) as conn:
        conn.send(r.request(2, b"\0" * 8, call_id=2, flags=r.FIRST))
        conn.send(r.request(2, call_id=3)).expect_fault(r.PROTO, call_id=faulted, closes=True)


def test_fragments_are_joined(daemon):
    stub = struct.pack("<II", 4, 0)
    with daemon.conn() as conn:
        whole = conn.ask(r.request(1, stub, call_id=2)).stub
        for i, byte in enumerate(stub):
            flags = (r.FIRST if i == 0 else 0) | (r.LAST if i == len(stub) - 1 else 0)
            conn.send(r.request(1, bytes([byte]), call_id=3, flags=flags))
        joined = conn.recv().stub
        assert joined[:8] == whole[:8] and len(joined) == len(whole)


def test_object_uuid_in_each_fragment(daemon):
    stub = struct.pack("<II", 4, 0)
    with daemon.conn() as conn:
        conn.send(r.request(1, stub[:3], call_id=2, flags=r.FIRST, obj=b"o" * 16))
        conn.send(r.request(1, stub[3:], call_id=2, flags=r.LAST, obj=b"p" * 16))
        assert conn.recv().ptype == r.RESPONSE


def test_fragment_of_the_maximum_size(daemon):
    with daemon.conn(xmit=2048, recv=2048) as conn:
        assert conn.ask(r.request(2, b"\0" * (5840 - 24))).stub == LISTENING
        conn.send(r.request(2, b"\0" * (5841 - 24), call_id=3)).expect_fault(r.PROTO, closes=True)


def test_endless_request_is_ended(daemon):
    with daemon.conn() as conn:
        flags, faulted = r.FIRST, None
        for _ in range(2000):
            try:
                conn.send(r.request(2, b"\0" * 5000, flags=flags))
            except OSError:
                break
            flags = 0
        faulted = conn.recv()
        assert faulted is None or (faulted.ptype == r.FAULT and faulted.status == r.ACCESS_DENIED)


def test_endless_empty_fragments_are_ended(daemon):
    with daemon.conn() as conn:
        flags, sent = r.FIRST, 0
        try:
            for sent in range(200000):
                conn.send(r.request(2, flags=flags))
                flags = 0
        except OSError:
            pass
        assert sent < 199999, "200,000 empty fragments were taken"


def test_alloc_hint_above_the_limit(daemon):
    with daemon.conn() as conn:
        conn.send(r.request(2, b"\0" * 8, flags=r.FIRST, hint=0x7fffffff))
        conn.expect_fault(r.ACCESS_DENIED, 0x03, closes=True)


def test_call_id_zero_and_repeated(daemon):
    with daemon.conn() as conn:
        assert works(conn, 0) and works(conn, 0) and works(conn, 0xffffffff)


def test_cancel_and_orphaned_of_unknown_calls_are_ignored(daemon):
    with daemon.conn() as conn:
        conn.send(r.empty(r.CO_CANCEL, 1234) + r.empty(r.ORPHANED, 1234))
        assert works(conn)


def test_orphaned_ends_an_incomplete_request(daemon):
    with daemon.conn() as conn:
        conn.send(r.request(2, b"\0" * 8, call_id=5, flags=r.FIRST))
        conn.send(r.empty(r.ORPHANED, 5))
        assert works(conn)


def test_pdus_in_one_segment_and_in_single_bytes(daemon):
    with daemon.conn() as conn:
        conn.send(r.request(2, call_id=2) + r.request(2, call_id=3))
        assert [conn.recv().call_id, conn.recv().call_id] == [2, 3]
        for byte in r.request(2, call_id=4):
            conn.send(bytes([byte]))
        assert conn.recv().call_id == 4


@pytest.mark.parametrize("size", [1 << 20, 4096, 4095, 1021, 17])
def test_many_pdus_in_segments_of_any_size(daemon, size):
    """More than the server reads ahead at once, and more than it answers before others get a turn."""
    calls = list(range(2, 402))
    stream = b"".join(r.request(2, b"x" * (i % 40), call_id=i) for i in calls)
    with daemon.conn() as conn:
        for begin in range(0, len(stream), size):
            conn.send(stream[begin:begin + size])
        assert [conn.recv().call_id for _ in calls] == calls


def test_disconnect_inside_a_pdu(daemon):
    with daemon.conn() as conn:
        conn.send(r.request(2)[:20])


def test_every_prefix_of_a_bind(daemon):
    raw = r.bind(r.context(0, r.MGMT))
    for cut in range(0, len(raw), 5):
        with daemon.raw() as conn:
            conn.send(raw[:cut])


# The rest needs a call that stays open: AsyncNotify.

def waiting(daemon, flags=3):
    conn = daemon.ntlm(flags=flags)
    handle = daemon.register(conn)
    return conn, handle, conn.start(swn.ASYNC_NOTIFY, handle)


def test_mpx_answers_others_while_a_call_is_open(daemon):
    conn, handle, pending = waiting(daemon, 3 | r.MPX)
    with conn:
        assert conn.ack.flags & r.MPX
        swn.interfaces(conn.call(swn.GET_INTERFACE_LIST))
        assert swn.werror(conn.call(swn.UNREGISTER, handle)) == 0
        assert swn.notify(conn.finish(pending))[0] == swn.NOT_FOUND


def test_without_mpx_a_second_call_ends_the_connection(daemon):
    conn, _, _ = waiting(daemon)
    with conn:
        call = conn.start(swn.GET_INTERFACE_LIST)
        conn.expect_fault(r.PROTO, 0x03, call, closes=True)


def test_call_id_of_a_running_call(daemon):
    conn, _, pending = waiting(daemon, 3 | r.MPX)
    with conn:
        conn.send(conn.protect(swn.GET_INTERFACE_LIST, b"", pending))
        conn.expect_fault(r.PROTO, closes=True)


def test_cancel_of_an_open_call(daemon):
    conn, handle, pending = waiting(daemon)
    with conn:
        conn.send(r.empty(r.CO_CANCEL, pending)).expect_fault(r.CANCEL, call_id=pending)
        assert swn.werror(conn.call(swn.UNREGISTER, handle)) == 0


def test_orphaned_open_call_is_dropped(daemon):
    conn, handle, pending = waiting(daemon)
    with conn:
        conn.send(r.empty(r.ORPHANED, pending))
        assert swn.werror(conn.call(swn.UNREGISTER, handle)) == 0


def test_too_many_open_calls(daemon):
    conn, handle, _ = waiting(daemon, 3 | r.MPX)
    with conn:
        for _ in range(200):
            conn.start(swn.ASYNC_NOTIFY, handle)
        for _ in range(200 - 64):
            pdu = conn.recv()
            assert pdu is not None and pdu.ptype in (r.FAULT, r.RESPONSE)
        swn.interfaces(daemon_list(daemon))


def daemon_list(daemon):
    with daemon.ntlm() as conn:
        return conn.call(swn.GET_INTERFACE_LIST)


def test_reset_while_a_call_is_open(daemon):
    conn, _, _ = waiting(daemon)
    conn.sock.setsockopt(1, 13, struct.pack("ii", 1, 0))  # SO_LINGER 0: RST
    conn.close()
