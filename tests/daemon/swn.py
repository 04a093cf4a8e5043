# SPDX-License-Identifier: GPL-3.0-or-later
"""Witness stubs as bytes, written from the specification and not from the daemon's marshaller."""
import ipaddress
import struct

GET_INTERFACE_LIST, REGISTER, UNREGISTER, ASYNC_NOTIFY, REGISTER_EX, UNREGISTER_EX = range(6)
V1, V2 = 0x00010001, 0x00020000
SUCCESS, ACCESS_DENIED, INVALID_PARAMETER, NO_MORE_ITEMS = 0, 5, 87, 259
NOT_FOUND, REVISION_MISMATCH, NO_RESOURCES, TIMEOUT, INVALID_STATE = 1168, 1306, 1450, 1460, 5023
UNAVAILABLE, AVAILABLE = 0xFF, 1
RESOURCE_CHANGE, CLIENT_MOVE, SHARE_MOVE, IP_CHANGE = 1, 2, 3, 4


def string(text, referent):
    if text is None:
        return struct.pack("<I", 0)
    units = text.encode("utf-16-le") + b"\0\0"
    count = len(units) // 2
    out = struct.pack("<IIII", referent, count, 0, count) + units
    return out + b"\0" * (-len(out) % 4)


def register(version=V1, net_name="FS", ip="127.0.77.2", client="C1"):
    return struct.pack("<I", version) + string(net_name, 0x20000) + string(ip, 0x20004) + string(
        client, 0x20008)


def register_ex(version=V2, net_name="FS", share=None, ip="127.0.77.2", client="c1.example",
                flags=0, keep_alive=120):
    return struct.pack("<I", version) + string(net_name, 0x20000) + string(share, 0x20004) + string(
        ip, 0x20008) + string(client, 0x2000c) + struct.pack("<II", flags, keep_alive)


def handle_reply(stub):
    """(handle, werror) of Register, RegisterEx and UnRegisterEx."""
    assert len(stub) == 24
    return stub[:20], struct.unpack_from("<I", stub, 20)[0]


def werror(stub):
    return struct.unpack_from("<I", stub, len(stub) - 4)[0]


def interfaces(stub):
    """The entries of GetInterfaceList: (group, version, state, ipv4, ipv6, flags)."""
    assert werror(stub) == 0
    ptr, count, ptr2, max_count = struct.unpack_from("<IIII", stub)
    assert ptr and ptr2 and max_count == count and len(stub) == 16 + 552 * count + 4
    out = []
    for i in range(count):
        entry = stub[16 + 552 * i:16 + 552 * (i + 1)]
        name = entry[:520].decode("utf-16-le").rstrip("\0")
        version, state = struct.unpack_from("<IH", entry, 520)
        flags = struct.unpack_from("<I", entry, 548)[0]
        out.append((name, version, state, str(ipaddress.IPv4Address(entry[528:532])),
                    str(ipaddress.IPv6Address(entry[532:548])), flags))
    return out


def notify(stub):
    """(werror, type, records); records are (state, name) or (flags, address)."""
    code = werror(stub)
    if struct.unpack_from("<I", stub)[0] == 0:
        assert len(stub) == 8
        return code, None, []
    mtype, length, messages, ptr, max_count = struct.unpack_from("<IIIII", stub, 4)
    assert ptr and max_count == length
    data, records = stub[24:24 + length], []
    for _ in range(messages):
        size = struct.unpack_from("<I", data)[0]
        record, data = data[:size], data[size:]
        if mtype == RESOURCE_CHANGE:
            state = struct.unpack_from("<I", record, 4)[0]
            name = record[8:].decode("utf-16-le")
            assert name.endswith("\0")
            records.append((state, name[:-1]))
        else:
            count = struct.unpack_from("<I", record, 8)[0]
            assert size == 12 + 24 * count
            for i in range(count):
                flags, v4, v6 = struct.unpack_from("<I4s16s", record, 12 + 24 * i)
                addr = ipaddress.ip_address(v4 if flags & 1 else v6)
                records.append((flags, str(addr)))
    assert not data
    return code, mtype, records
