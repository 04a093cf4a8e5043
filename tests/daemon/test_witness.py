# SPDX-License-Identifier: GPL-3.0-or-later
"""The six witness calls on the wire, and what the static cluster's events make of them."""
import struct
import time

import conftest
import pytest
import rawrpc as r
import swn

UNKNOWN = b"\0" * 4 + b"\x77" * 16
NULL = b"\0" * 20


@pytest.fixture
def conn(daemon):
    with daemon.ntlm(flags=3 | r.MPX) as connection:
        yield connection


def test_interface_list(conn):
    entries = {e[3] if e[5] & 1 else e[4]: e for e in swn.interfaces(conn.call(0))}
    assert set(entries) == {"127.0.77.1", "127.0.77.2", "127.0.77.3", "fd00:77::3"}
    assert entries["127.0.77.1"] == ("n1", swn.V2, 1, "127.0.77.1", "::", 1)
    assert entries["127.0.77.2"][0] == "n2" and entries["127.0.77.2"][5] == 5
    assert entries["fd00:77::3"][4:] == ("fd00:77::3", 6)


@pytest.mark.parametrize("opnum,good,bad", [(swn.REGISTER, swn.V1, swn.V2),
                                            (swn.REGISTER_EX, swn.V2, swn.V1)])
def test_register_checks(conn, opnum, good, bad):
    make = {swn.REGISTER: swn.register, swn.REGISTER_EX: swn.register_ex}[opnum]

    def code(**kw):
        handle, error = swn.handle_reply(conn.call(opnum, make(**{"version": good, **kw})))
        assert handle == NULL or error == 0
        return error
    for version in (0, 1, 123456, 0xffffffff, bad):
        assert code(version=version, net_name=None, ip=None, client=None) == swn.REVISION_MISMATCH
    assert code(net_name="", ip="", client="") == swn.INVALID_PARAMETER
    for missing in ("net_name", "ip", "client"):
        assert code(**{missing: None}) == swn.INVALID_PARAMETER
    assert code(net_name="OTHER") == swn.INVALID_PARAMETER
    assert code(net_name=r"\\FS") == swn.INVALID_PARAMETER
    assert code(ip="not-an-address") == swn.INVALID_STATE
    assert code(ip="10.9.9.9") == swn.INVALID_STATE
    for name in ("FS", "fs", "fs.lab.test", "FS.LAB.TEST"):
        assert code(net_name=name) == 0
    assert code(ip="fd00:0077:0000:0000:0000:0000:0000:0003") == 0


def test_share_check(conn):
    def code(share, **kw):
        return swn.handle_reply(conn.call(swn.REGISTER_EX, swn.register_ex(share=share, **kw)))[1]
    assert code("any_invalid_share_name") == swn.INVALID_STATE
    assert code("data") == 0 and code("DATA") == 0
    assert code("data", ip="10.9.9.9") == swn.INVALID_STATE


@pytest.mark.parametrize("cut", [0, 1, 4, 16, 20, 40, 80])
def test_stub_cut_short(conn, cut):
    with pytest.raises(r.RpcFault) as fault:
        conn.call(swn.REGISTER_EX, swn.register_ex()[:cut])
    assert fault.value.status == r.BAD_STUB
    swn.interfaces(conn.call(0))


@pytest.mark.parametrize("opnum", [2, 3, 5])
def test_short_handle(conn, opnum):
    with pytest.raises(r.RpcFault) as fault:
        conn.call(opnum, b"\0" * 19)
    assert fault.value.status == r.BAD_STUB


def test_unknown_handles(conn):
    for handle in (UNKNOWN, NULL):
        assert swn.werror(conn.call(swn.UNREGISTER, handle)) == swn.INVALID_PARAMETER
        assert swn.handle_reply(conn.call(swn.UNREGISTER_EX, handle)) == (handle, swn.INVALID_PARAMETER)
        assert conn.call(swn.ASYNC_NOTIFY, handle) == struct.pack("<II", 0, swn.NOT_FOUND)


def test_double_unregister(daemon, conn):
    handle = daemon.register(conn)
    assert conn.call(swn.UNREGISTER, handle) == struct.pack("<I", 0)
    assert conn.call(swn.UNREGISTER, handle) == struct.pack("<I", swn.INVALID_PARAMETER)


def test_unregister_ex_returns_the_null_handle(daemon, conn):
    handle = daemon.register(conn)
    assert swn.handle_reply(conn.call(swn.UNREGISTER_EX, handle)) == (NULL, 0)
    assert conn.call(swn.ASYNC_NOTIFY, handle) == struct.pack("<II", 0, swn.NOT_FOUND)


def test_opnum_6_is_out_of_range(conn):
    with pytest.raises(r.RpcFault) as fault:
        conn.call(6, NULL)
    assert fault.value.status == r.OP_RNG


def test_handles_differ(daemon, conn):
    handles = [daemon.register(conn) for _ in range(5)]
    assert len(set(handles)) == 5 and all(h[:4] == b"\0" * 4 for h in handles)


def test_keep_alive_zero_times_out_at_once(daemon, conn):
    handle = daemon.register(conn, keep_alive=0)
    assert conn.call(swn.ASYNC_NOTIFY, handle) == struct.pack("<II", 0, swn.TIMEOUT)


def test_keep_alive_times_out_and_the_registration_stays(daemon, conn):
    handle = daemon.register(conn, keep_alive=1)
    for _ in range(2):
        start = time.monotonic()
        assert swn.notify(conn.call(swn.ASYNC_NOTIFY, handle))[0] == swn.TIMEOUT
        assert 0.9 < time.monotonic() - start < 5
    assert swn.werror(conn.call(swn.UNREGISTER, handle)) == 0


def test_registrations_are_listed(daemon, conn):
    handle = daemon.register(conn, client="listed.example", share="data")
    listed = [reg for reg in daemon.json("list") if reg["client"] == "listed.example"]
    assert len(listed) == 1
    assert listed[0]["net_name"] == "FS" and listed[0]["ip"] == "127.0.77.2"
    assert conn.call(swn.UNREGISTER, handle) == struct.pack("<I", 0)
    assert not [reg for reg in daemon.json("list") if reg["client"] == "listed.example"]


def test_names_cannot_forge_log_lines(daemon, conn):
    daemon.register(conn, client="evil\nFORGED line")
    assert "\nFORGED" not in daemon.text()


# Events. Each test brings its address back.

@pytest.fixture
def address(daemon):
    yield "127.0.77.2"
    daemon.ctl("static", "address", "127.0.77.2", "move", "n2")
    daemon.ctl("static", "address", "127.0.77.2", "up")


def test_lost_and_back(daemon, conn, address):
    handle = daemon.register(conn)
    pending = conn.start(swn.ASYNC_NOTIFY, handle)
    daemon.ctl("static", "address", address, "down")
    assert swn.notify(conn.finish(pending)) == (0, swn.RESOURCE_CHANGE, [(swn.UNAVAILABLE, address)])
    pending = conn.start(swn.ASYNC_NOTIFY, handle)
    daemon.ctl("static", "address", address, "up")
    assert swn.notify(conn.finish(pending)) == (0, swn.RESOURCE_CHANGE, [(swn.AVAILABLE, address)])


def test_what_happens_between_two_calls_is_queued_in_order(daemon, conn, address):
    handle = daemon.register(conn)
    daemon.ctl("static", "address", address, "down")
    daemon.ctl("static", "address", address, "up")
    code, mtype, records = swn.notify(conn.call(swn.ASYNC_NOTIFY, handle))
    assert (code, mtype) == (0, swn.RESOURCE_CHANGE)
    assert [state for state, _ in records] == [swn.UNAVAILABLE, swn.AVAILABLE]


def test_moved_is_unavailable_then_available(daemon, conn, address):
    handle = daemon.register(conn)
    pending = conn.start(swn.ASYNC_NOTIFY, handle)
    daemon.ctl("static", "address", address, "move", "n3")
    states = []
    while len(states) < 2:
        code, mtype, records = swn.notify(conn.finish(pending))
        assert (code, mtype) == (0, swn.RESOURCE_CHANGE)
        states += [state for state, _ in records]
        pending = conn.start(swn.ASYNC_NOTIFY, handle)
    assert states == [swn.UNAVAILABLE, swn.AVAILABLE]


def test_node_loss_concerns_its_addresses_only(daemon, conn):
    there, elsewhere = daemon.register(conn), daemon.register(conn, ip="127.0.77.3")
    try:
        lost, quiet = conn.start(swn.ASYNC_NOTIFY, there), conn.start(swn.ASYNC_NOTIFY, elsewhere)
        daemon.ctl("static", "node", "n2", "offline")
        assert swn.notify(conn.finish(lost))[2] == [(swn.UNAVAILABLE, "127.0.77.2")]
        conn.send(r.empty(r.CO_CANCEL, quiet)).expect_fault(r.CANCEL, call_id=quiet)
    finally:
        daemon.ctl("static", "node", "n2", "online")


def test_registered_while_down_is_told_at_once(daemon, conn, address):
    daemon.ctl("static", "address", address, "down")
    handle = daemon.register(conn)
    assert swn.notify(conn.call(swn.ASYNC_NOTIFY, handle))[2] == [(swn.UNAVAILABLE, address)]


def test_ip_change_goes_to_those_who_asked(daemon, conn, address):
    asked = daemon.register(conn, ip="127.0.77.3", flags=1)
    not_asked = daemon.register(conn, ip="127.0.77.3")
    pending, quiet = conn.start(swn.ASYNC_NOTIFY, asked), conn.start(swn.ASYNC_NOTIFY, not_asked)
    daemon.ctl("static", "address", address, "down")
    code, mtype, records = swn.notify(conn.finish(pending))
    assert (code, mtype) == (0, swn.IP_CHANGE) and records == [(0x11, address)]
    conn.send(r.empty(r.CO_CANCEL, quiet)).expect_fault(r.CANCEL, call_id=quiet)


def test_cancel_loses_nothing(daemon, conn, address):
    handle = daemon.register(conn)
    pending = conn.start(swn.ASYNC_NOTIFY, handle)
    conn.send(r.empty(r.CO_CANCEL, pending)).expect_fault(r.CANCEL, call_id=pending)
    daemon.ctl("static", "address", address, "down")
    assert swn.notify(conn.call(swn.ASYNC_NOTIFY, handle))[2] == [(swn.UNAVAILABLE, address)]


def test_without_quorum_nobody_is_told_of_other_nodes(daemon, conn):
    handle = daemon.register(conn, keep_alive=1)
    try:
        daemon.ctl("static", "quorum", "no")
        daemon.ctl("static", "node", "n2", "offline")
        assert swn.notify(conn.call(swn.ASYNC_NOTIFY, handle))[0] == swn.TIMEOUT
        pending = conn.start(swn.ASYNC_NOTIFY, handle)
        daemon.ctl("static", "quorum", "yes")
        assert swn.notify(conn.finish(pending))[2] == [(swn.UNAVAILABLE, "127.0.77.2")]
    finally:
        daemon.ctl("static", "quorum", "yes")
        daemon.ctl("static", "node", "n2", "online")


def test_broken_map_keeps_the_last_state(daemon, conn, address):
    handle = daemon.register(conn, keep_alive=2)
    with open(daemon.map, encoding="utf-8") as f:
        good = f.read()
    pending = conn.start(swn.ASYNC_NOTIFY, handle)
    daemon.write("cluster.map", "[node\nnonsense")
    conftest.wait_for(lambda: "cluster.map:" in daemon.text(), "the error is logged")
    assert swn.notify(conn.finish(pending))[0] == swn.TIMEOUT
    pending = conn.start(swn.ASYNC_NOTIFY, handle)
    daemon.write("cluster.map", good.replace("[node n2]\n", "[node n2]\n# back\n"))
    assert swn.notify(conn.finish(pending))[0] == swn.TIMEOUT


def test_connections_to_an_address_that_left_are_closed(start_daemon):
    daemon = start_daemon()
    with daemon.ntlm() as conn:
        handle = daemon.register(conn)
        conn.start(swn.ASYNC_NOTIFY, handle)
        daemon.ctl("static", "address", "127.0.77.2", "move", "n3")
        assert conn.recv() is not None  # somebody else's address: told, and still connected
        daemon.ctl("static", "address", "127.0.77.1", "move", "n2")
        while conn.recv() is not None:
            pass
    conftest.wait_for(lambda: not daemon.json("list"), "the registration ends")


def test_the_last_word_on_an_address_that_left(start_daemon):
    daemon = start_daemon()
    with daemon.ntlm() as conn:
        pending = conn.start(swn.ASYNC_NOTIFY, daemon.register(conn, ip="127.0.77.1"))
        daemon.ctl("static", "address", "127.0.77.1", "down")
        assert swn.notify(conn.finish(pending)) == (
            0, swn.RESOURCE_CHANGE, [(swn.UNAVAILABLE, "127.0.77.1")])
        assert conn.closed()


def test_forced_reregistration(start_daemon):
    daemon = start_daemon({"witness.reregister_delay": 1})
    with daemon.ntlm() as conn:
        handle = daemon.register(conn)
        pending = conn.start(swn.ASYNC_NOTIFY, handle)
        daemon.ctl("static", "address", "127.0.77.2", "down")
        assert swn.notify(conn.finish(pending))[1] == swn.RESOURCE_CHANGE
        start = time.monotonic()
        assert swn.notify(conn.call(swn.ASYNC_NOTIFY, handle))[0] == swn.NOT_FOUND
        assert 0.8 < time.monotonic() - start < 5
        assert swn.werror(conn.call(swn.UNREGISTER, handle)) == swn.INVALID_PARAMETER


def test_unused_registration_ends(start_daemon):
    daemon = start_daemon({"witness.unused_timeout": 1, "witness.unregister_error": "not-found"})
    with daemon.ntlm() as conn:
        handle = daemon.register(conn)
        conftest.wait_for(lambda: not daemon.json("list"), "the registration ends")
        assert swn.notify(conn.call(swn.ASYNC_NOTIFY, handle))[0] == swn.NOT_FOUND
        assert swn.werror(conn.call(swn.UNREGISTER, handle)) == swn.NOT_FOUND


def test_version_1_server(start_daemon):
    daemon = start_daemon({"witness.version": "1"})
    with daemon.ntlm() as conn:
        assert {e[1] for e in swn.interfaces(conn.call(0))} == {swn.V1}
        assert swn.handle_reply(conn.call(swn.REGISTER, swn.register()))[1] == 0
        with pytest.raises(r.RpcFault) as fault:
            conn.call(swn.REGISTER_EX, swn.register_ex())
        assert fault.value.status == r.OP_RNG


def test_interface_list_waits_for_an_available_address(start_daemon):
    empty = start_daemon(cluster_map="[cluster]\nquorate = yes\n[node n1]\nid = 1\n")
    with empty.ntlm() as conn:
        stub = conn.call(swn.GET_INTERFACE_LIST)
        assert stub == struct.pack("<II", 0, swn.NO_MORE_ITEMS)
    daemon = start_daemon()
    for address in ("127.0.77.1", "127.0.77.2", "127.0.77.3", "fd00:77::3"):
        daemon.ctl("static", "address", address, "down")
    with daemon.ntlm() as conn:
        call = conn.start(swn.GET_INTERFACE_LIST)
        daemon.ctl("static", "address", "127.0.77.2", "up")
        states = {e[3]: e[2] for e in swn.interfaces(conn.finish(call))}
        assert states["127.0.77.2"] == 1 and states["127.0.77.1"] == 0xFF
