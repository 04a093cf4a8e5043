# SPDX-License-Identifier: GPL-3.0-or-later
"""Endpoint mapper and management interface, byte by byte."""
import socket
import struct

import pytest
import rawrpc as r

pytestmark = pytest.mark.usefixtures("bystander")
NO_ENTRY = 0x16C9A0D6
LOOKUP, MAP, FREE = 2, 3, 4


def floor(lhs, rhs):
    return struct.pack("<H", len(lhs)) + lhs + struct.pack("<H", len(rhs)) + rhs


def tower(iface=r.WITNESS, transfer=r.NDR20, port=0, addr="0.0.0.0", transport=b"\x07"):
    floors = [floor(b"\x0d" + iface[:18], iface[18:]), floor(b"\x0d" + transfer[:18], transfer[18:]),
              floor(b"\x0b", b"\0\0"), floor(transport, struct.pack(">H", port)),
              floor(b"\x09", socket.inet_aton(addr))]
    return struct.pack("<H", len(floors)) + b"".join(floors)


def map_stub(data, obj=False, max_towers=1):
    stub = struct.pack("<I", 0x20000) + b"\0" * 16 if obj else struct.pack("<I", 0)
    if data is None:
        stub += struct.pack("<I", 0)
    else:
        stub += struct.pack("<III", 0x20004, len(data), len(data)) + data + b"\0" * (-len(data) % 4)
    return stub + b"\0" * 20 + struct.pack("<I", max_towers)


@pytest.fixture
def epm(daemon):
    with daemon.raw(epm=True) as conn:
        conn.bind(r.context(0, r.EPM))
        conn.call_id = 1

        def call(opnum, stub):
            conn.call_id += 1
            return conn.ask(r.request(opnum, stub, conn.call_id))
        conn.call = call
        yield conn


def towers(pdu):
    """(handle, towers, status) of an ept_map answer."""
    assert pdu.ptype == r.RESPONSE, pdu
    stub = pdu.stub
    num, _, offset, actual = struct.unpack_from("<IIII", stub, 20)
    assert offset == 0 and actual == num
    off, out = 36 + 4 * num, []
    for _ in range(num):
        size, size2 = struct.unpack_from("<II", stub, off)
        assert size == size2
        out.append(stub[off + 8:off + 8 + size])
        off = (off + 8 + size + 3) & ~3
    return stub[:20], out, struct.unpack_from("<I", stub, off)[0]


@pytest.mark.parametrize("obj", [False, True])
@pytest.mark.parametrize("max_towers", [1, 4, 500])
def test_map_gives_port_and_local_address(daemon, epm, obj, max_towers):
    handle, found, status = towers(epm.call(MAP, map_stub(tower(), obj, max_towers)))
    assert handle == b"\0" * 20 and status == 0
    assert found == [tower(port=daemon.port, addr=daemon.addr)]


def test_the_mapped_port_serves_the_interface(daemon, epm):
    _, found, _ = towers(epm.call(MAP, map_stub(tower())))
    port = struct.unpack_from(">H", found[0], 75 - 6 - 5 - 0)[0] if len(found[0]) == 75 else 0
    port = struct.unpack(">H", found[0][2 + 25 + 25 + 7 + 5:][:2])[0] or port
    with r.Conn(daemon.addr, port) as conn:
        assert conn.bind(r.context(0, r.WITNESS)).results == [(0, 0)]


def test_minor_version_asked_may_be_smaller(epm):
    lower = r.WITNESS[:18] + b"\0\0"
    assert len(towers(epm.call(MAP, map_stub(tower(lower))))[1]) == 1


@pytest.mark.parametrize("data,max_towers", [
    (tower(r.UNKNOWN), 4), (tower(transfer=r.NDR64), 4), (tower(transport=b"\x08"), 4), (None, 4),
    (tower(), 0), (struct.pack("<H", 0), 4),
    (tower(r.WITNESS[:16] + struct.pack("<HH", 2, 0)), 4),
    (tower(r.WITNESS[:16] + struct.pack("<HH", 1, 2)), 4),
], ids=["unknown", "ndr64", "udp", "null", "max-0", "no-floors", "major", "minor"])
def test_map_without_match(epm, data, max_towers):
    pdu = epm.call(MAP, map_stub(data, max_towers=max_towers))
    assert pdu.ptype == r.RESPONSE
    assert pdu.stub == b"\0" * 20 + struct.pack("<IIIII", 0, max_towers, 0, 0, NO_ENTRY)


@pytest.mark.parametrize("stub", [b"", map_stub(tower())[:60], map_stub(tower(), max_towers=501),
                                  struct.pack("<III", 0, 0x20004, 0xffffffff) + b"\0" * 40,
                                  map_stub(struct.pack("<H", 0xffff)), map_stub(tower()[:40])],
                         ids=["empty", "cut", "max-501", "length-lies", "floors-lie", "tower-cut"])
def test_map_bad_stub(epm, stub):
    pdu = epm.call(MAP, stub)
    assert pdu.ptype == r.FAULT and pdu.status == r.BAD_STUB
    assert towers(epm.call(MAP, map_stub(tower())))[2] == 0


@pytest.mark.parametrize("opnum", [0, 1, 6, 7, 99])
def test_inserting_from_the_network_is_refused(epm, opnum):
    pdu = epm.call(opnum, b"\0" * 64)
    assert pdu.ptype == r.FAULT and pdu.status == r.OP_RNG


def lookup_stub(handle=b"\0" * 20, max_ents=10, inquiry=0):
    return struct.pack("<IIII", inquiry, 0, 0, 0) + handle + struct.pack("<I", max_ents)


def entries(pdu):
    """(handle, towers, status) of an ept_lookup answer."""
    assert pdu.ptype == r.RESPONSE, pdu
    stub = pdu.stub
    num, _, _, actual = struct.unpack_from("<IIII", stub, 20)
    assert num == actual
    off = 36
    for _ in range(num):
        _, zero, length = struct.unpack_from("<III", stub, off + 16)
        assert zero == 0 and length <= 64
        off = (off + 28 + length + 3) & ~3
    out = []
    for _ in range(num):
        size = struct.unpack_from("<I", stub, off)[0]
        out.append(stub[off + 8:off + 8 + size])
        off = (off + 8 + size + 3) & ~3
    return stub[:20], out, struct.unpack_from("<I", stub, off)[0]


def test_lookup_of_everything(daemon, epm):
    handle, found, status = entries(epm.call(LOOKUP, lookup_stub()))
    assert status == NO_ENTRY and handle == b"\0" * 20
    assert tower(port=daemon.port, addr=daemon.addr) in found
    assert len(found) == 2  # the mapper itself is the other


def test_lookup_one_by_one(epm):
    everything = entries(epm.call(LOOKUP, lookup_stub()))[1]
    handle, found = b"\0" * 20, []
    for _ in everything:
        handle, some, status = entries(epm.call(LOOKUP, lookup_stub(handle, 1)))
        assert status == 0 and len(some) == 1 and handle != b"\0" * 20
        found += some
    assert found == everything
    assert entries(epm.call(LOOKUP, lookup_stub(handle, 1))) == (b"\0" * 20, [], NO_ENTRY)


def test_lookup_ended_early(epm):
    handle = entries(epm.call(LOOKUP, lookup_stub(max_ents=1)))[0]
    assert epm.call(FREE, handle).stub == b"\0" * 24


def test_lookup_handle(daemon, epm):
    stub = struct.pack("<IIII", 1, 0, 0x20000, 0)  # by an interface that does not come
    assert epm.call(LOOKUP, stub[:12]).ptype == r.FAULT
    pdu = epm.call(FREE, b"\0\0\0\0" + b"\x55" * 16)
    assert pdu.ptype == r.FAULT and pdu.status == r.CONTEXT_MISMATCH
    pdu = epm.call(LOOKUP, lookup_stub(b"\0\0\0\0" + b"\x55" * 16))
    assert pdu.ptype == r.FAULT and pdu.status == r.CONTEXT_MISMATCH


def test_mapper_serves_authenticated_clients_too(daemon):
    with daemon.raw(epm=True) as conn:
        ack = conn.bind(r.context(0, r.EPM), r.context(1, r.EPM, r.BTFN), xmit=5840, recv=5840)
        assert ack.results == [(0, 0), (3, 3)]


# mgmt

def test_mgmt_lists_the_interfaces_of_the_port(daemon):
    with daemon.conn() as conn:
        stub = conn.ask(r.request(0)).stub
        ptr, count, count2 = struct.unpack_from("<III", stub)
        assert ptr and count == count2 == 1
        assert stub[12 + 4 * count:12 + 4 * count + 20] == r.WITNESS
        assert struct.unpack_from("<I", stub, len(stub) - 4)[0] == 0


def test_mgmt_statistics(daemon):
    with daemon.conn() as conn:
        stub = conn.ask(r.request(1, struct.pack("<II", 4, 0))).stub
        assert struct.unpack_from("<II", stub) == (4, 4) and len(stub) == 28
        calls_in = struct.unpack_from("<I", stub, 8)[0]
        assert calls_in >= 1 and struct.unpack_from("<I", stub, 24)[0] == 0
        assert struct.unpack_from("<I", conn.ask(r.request(1, struct.pack("<II", 3, 0))).stub, 8)[0] == 0x32


def test_mgmt_stop_is_refused(daemon):
    with daemon.conn() as conn:
        assert conn.ask(r.request(3)).stub == struct.pack("<I", 5)
        assert conn.ask(r.request(2, call_id=3)).stub == struct.pack("<II", 0, 1)


def test_mgmt_principal_name(daemon):
    with daemon.conn() as conn:
        stub = conn.ask(r.request(4, struct.pack("<II", 10, 100))).stub
        size, offset, actual = struct.unpack_from("<III", stub)
        name = stub[12:12 + actual]
        assert size == 100 and offset == 0 and name.endswith(b"\0") and name.startswith(b"cifs/")
        assert struct.unpack_from("<I", stub, len(stub) - 4)[0] == 0
        small = conn.ask(r.request(4, struct.pack("<II", 10, 3), 3)).stub
        assert struct.unpack_from("<I", small, len(small) - 4)[0] == 0x7A
        unknown = conn.ask(r.request(4, struct.pack("<II", 77, 100), 4)).stub
        assert struct.unpack_from("<I", unknown, len(unknown) - 4)[0] == 0x6D3
        conn.send(r.request(4, struct.pack("<II", 10, 0), 5)).expect_fault(r.BAD_STUB)
