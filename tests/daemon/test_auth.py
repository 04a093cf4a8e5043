# SPDX-License-Identifier: GPL-3.0-or-later
"""Authentication and protection of PDUs: every row of the failure table, and what tampering brings."""
import struct

import pytest
import rawrpc as r
import swn

pytestmark = pytest.mark.usefixtures("bystander")
BOTH = pytest.mark.parametrize("level", [5, 6], ids=["integrity", "privacy"])
HDRSIGN = pytest.mark.parametrize("flags", [3, 7], ids=["plain", "header-signing"])


@BOTH
@HDRSIGN
def test_calls_at_both_levels(daemon, level, flags):
    with daemon.ntlm(level=level, flags=flags) as conn:
        entries = swn.interfaces(conn.call(swn.GET_INTERFACE_LIST))
        assert {e[3] for e in entries} >= {"127.0.77.1", "127.0.77.2", "127.0.77.3"}
        assert swn.interfaces(conn.call(swn.GET_INTERFACE_LIST)) == entries


def test_level_packet_is_as_good_as_integrity(daemon):
    with daemon.ntlm(level=4) as conn:
        swn.interfaces(conn.call(swn.GET_INTERFACE_LIST))


@BOTH
def test_fragmented_both_ways(daemon, level):
    stub = swn.register_ex() + b"\0" * 3000  # bytes behind the arguments are ignored
    with daemon.ntlm(level=level, xmit=2048) as conn:
        chunk = 2000
        for off in range(0, len(stub), chunk):
            flags = (r.FIRST if off == 0 else 0) | (r.LAST if off + chunk >= len(stub) else 0)
            conn.send(conn.protect(swn.REGISTER_EX, stub[off:off + chunk], 7, flags=flags))
        assert swn.handle_reply(conn.finish(7))[1] == 0
        sizes, stub = [], b""
        conn.start(swn.GET_INTERFACE_LIST)
        while True:
            pdu = conn.recv()
            sizes.append(pdu.frag_length)
            stub += conn.unprotect(pdu)
            if pdu.flags & r.LAST:
                break
        assert len(sizes) > 1 and max(sizes) <= 2048
        assert len(swn.interfaces(stub)) == 4


@pytest.mark.parametrize("auth_type,reason", [(1, 8), (14, 8), (68, 8), (200, 8)])
def test_unknown_auth_type(daemon, auth_type, reason):
    with daemon.raw() as conn:
        conn.send(r.bind(r.context(0, r.WITNESS), auth=r.trailer(auth_type, 5) + b"token"))
        conn.expect_nak(reason)


@pytest.mark.parametrize("level", [0, 1, 7, 255])
def test_impossible_level(daemon, level):
    with daemon.raw() as conn:
        conn.send(r.bind(r.context(0, r.WITNESS), auth=r.trailer(10, level) + b"token"))
        conn.expect_nak(0)


@pytest.mark.parametrize("auth_type", [9, 10], ids=["spnego", "ntlm"])
@pytest.mark.parametrize("token", [b"x", b"\0" * 40, b"NTLMSSP\0" + b"\xff" * 8, b"\x60\x82" + b"A" * 99],
                         ids=["one-byte", "zeroes", "cut-ntlm", "cut-asn1"])
def test_garbage_token(daemon, auth_type, token):
    with daemon.raw() as conn:
        conn.send(r.bind(r.context(0, r.WITNESS), auth=r.trailer(auth_type, 5) + token))
        conn.expect_nak(9)


def test_kerberos_not_configured(daemon):
    with daemon.raw() as conn:
        conn.send(r.bind(r.context(0, r.WITNESS), auth=r.trailer(16, 5) + b"\x6e\x03abc"))
        conn.expect_nak(8)


def test_auth_padding_that_does_not_fit(daemon):
    with daemon.raw() as conn:
        conn.send(r.bind(r.context(0, r.WITNESS), auth=r.trailer(10, 5, pad=255) + b"token"))
        conn.expect_nak(4)


def test_huge_token(daemon):
    with daemon.raw() as conn:
        conn.send(r.bind(r.context(0, r.WITNESS), auth=r.trailer(10, 5) + b"N" * 60000))
        conn.expect_nak(9)


def test_wrong_password_is_told_at_the_first_request(daemon):
    with daemon.ntlm(password="wrong") as conn:
        conn.start(swn.GET_INTERFACE_LIST)
        conn.expect_fault(r.ACCESS_DENIED, closes=True)


def test_unknown_user(daemon):
    with daemon.ntlm(user="mallory") as conn:
        conn.start(swn.GET_INTERFACE_LIST)
        conn.expect_fault(r.ACCESS_DENIED, closes=True)


@pytest.mark.parametrize("offset,value", [
    (52, struct.pack("<H", 0)), (52, struct.pack("<H", 15)), (52, struct.pack("<H", 0xffff)),
    (56, struct.pack("<I", 0xfffffff0)), (56, struct.pack("<I", 0)), (60, b"\0\0\0\0"),
    (20, struct.pack("<H", 24)),
], ids=["key-0", "key-15", "key-huge", "key-off-end", "key-off-0", "no-flags", "ntlmv1"])
def test_crafted_authenticate_message(daemon, offset, value):
    """An EncryptedRandomSessionKey that is not 16 bytes crashes an unguarded gss-ntlmssp."""
    class Crafted(r.NtlmConn):
        def send_auth3(self):
            self.type3 = self.type3[:offset] + value + self.type3[offset + len(value):]
            super().send_auth3()
    with Crafted(daemon) as conn:
        conn.start(swn.GET_INTERFACE_LIST)
        pdu = conn.recv()
        # A pointer to offset 0 is within the message: a wrong key, found out by the signature.
        assert pdu.ptype == r.FAULT and pdu.status in (r.ACCESS_DENIED, r.SEC_PKG)
        assert conn.closed()
    assert daemon.alive()


def test_request_before_authentication_is_complete(daemon):
    class Lazy(r.NtlmConn):
        def send_auth3(self):
            pass
    with Lazy(daemon) as conn:
        conn.send(r.request(swn.GET_INTERFACE_LIST)).expect_fault(r.PROTO, 0x23, closes=True)


@pytest.mark.parametrize("num", [1, 3, 60])
def test_requests_right_behind_the_auth3(daemon, num):
    """The step runs while they are there already, in the same segment; 60 are more than is read at once."""
    class Eager(r.NtlmConn):
        def send_auth3(self):
            self.sent = [self.protect(swn.GET_INTERFACE_LIST, b"", i) for i in range(2, num + 2)]
            self.send(r.auth3(r.trailer(10, self.level, 0, self.auth_ctx) + self.type3) + b"".join(self.sent))

    with Eager(daemon, flags=r.FIRST | r.LAST | r.MPX) as conn:
        for i in range(2, num + 2):
            conn.finish(i)


def test_auth3_without_negotiation(daemon):
    with daemon.conn() as conn:
        conn.send(r.auth3(r.trailer(10, 5) + b"token")).expect_fault(r.PROTO, 0x23, closes=True)


def test_auth3_for_a_complete_context(daemon):
    with daemon.ntlm() as conn:
        swn.interfaces(conn.call(swn.GET_INTERFACE_LIST))
        conn.send_auth3()
        conn.expect_fault(r.PROTO, closes=True)


def test_alter_for_a_complete_context(daemon):
    with daemon.ntlm() as conn:
        swn.interfaces(conn.call(swn.GET_INTERFACE_LIST))
        conn.send(r.bind(r.context(0, r.WITNESS), ptype=r.ALTER, auth=r.trailer(10, 5) + b"token"))
        conn.expect_fault(r.ACCESS_DENIED, closes=True)


@pytest.mark.parametrize("auth_type,level,status", [(10, 6, 5), (9, 5, 0x721), (0, 5, 5)],
                         ids=["level", "type", "none"])
def test_alter_changes_a_context_in_progress(daemon, auth_type, level, status):
    class Lazy(r.NtlmConn):
        def send_auth3(self):
            pass
    with Lazy(daemon) as conn:
        conn.send(r.bind(r.context(0, r.WITNESS), ptype=r.ALTER,
                         auth=r.trailer(auth_type, level) + conn.type3))
        conn.expect_fault(status, closes=True)


def test_garbage_in_the_third_leg_by_alter(daemon):
    class Lazy(r.NtlmConn):
        def send_auth3(self):
            pass
    with Lazy(daemon) as conn:
        conn.send(r.bind(r.context(0, r.WITNESS), ptype=r.ALTER, auth=r.trailer(10, 5) + b"garbage"))
        pdu = conn.recv()
        assert pdu.ptype == r.FAULT and pdu.status in (r.ACCESS_DENIED, r.SEC_PKG)
        assert conn.closed()


def test_third_leg_by_alter(daemon):
    class ByAlter(r.NtlmConn):
        def send_auth3(self):
            ack = self.ask(r.bind(r.context(0, r.WITNESS), ptype=r.ALTER,
                                  auth=r.trailer(10, 5) + self.type3))
            assert ack.ptype == r.ALTER_RESP
    with ByAlter(daemon) as conn:
        swn.interfaces(conn.call(swn.GET_INTERFACE_LIST))


def test_anonymous_caller_is_denied(daemon):
    with daemon.conn(r.context(0, r.WITNESS)) as conn:
        conn.send(r.request(swn.GET_INTERFACE_LIST)).expect_fault(r.ACCESS_DENIED, closes=True)


@pytest.mark.parametrize("opnum", range(6))
def test_level_connect_is_too_weak(daemon, opnum):
    with daemon.ntlm(level=2) as conn:
        conn.send(r.request(opnum)).expect_fault(r.ACCESS_DENIED, closes=True)


def test_level_connect_serves_mgmt(daemon):
    with daemon.ntlm(level=2, abstract=r.MGMT) as conn:
        assert conn.ask(r.request(2)).stub == struct.pack("<II", 0, 1)
        verifier = r.trailer(10, 2) + b"\x01" + b"\0" * 15
        assert conn.ask(r.request(2, call_id=3, auth=verifier)).stub == struct.pack("<II", 0, 1)


def test_unprotected_request_on_an_authenticated_connection(daemon):
    with daemon.ntlm() as conn:
        swn.interfaces(conn.call(swn.GET_INTERFACE_LIST))
        conn.send(r.request(swn.GET_INTERFACE_LIST, call_id=50)).expect_fault(r.ACCESS_DENIED)


def test_protected_request_on_an_anonymous_connection(daemon):
    with daemon.conn() as conn:
        conn.send(r.request(2, auth=r.trailer(10, 5) + b"\0" * 16))
        conn.expect_fault(r.ACCESS_DENIED, closes=True)


@pytest.mark.parametrize("lie", [{"auth_type": 9}, {"level": 6}, {"auth_ctx": 2}],
                         ids=["type", "level", "context"])
def test_trailer_names_another_context(daemon, lie):
    with daemon.ntlm() as conn:
        conn.send(conn.protect(swn.GET_INTERFACE_LIST, b"", 5, **lie))
        conn.expect_fault(r.ACCESS_DENIED, 0x03, closes=True)


@BOTH
@HDRSIGN
@pytest.mark.parametrize("where", [12, 22, 24, 30, -24, -16, -12, -1],
                         ids=["call-id", "opnum", "stub", "stub-6", "pad-length", "version", "mac",
                              "sequence"])
def test_flipped_bit(daemon, level, flags, where):
    with daemon.ntlm(level=level, flags=flags) as conn:
        swn.interfaces(conn.call(swn.GET_INTERFACE_LIST))
        raw = bytearray(conn.protect(swn.UNREGISTER, b"\0" * 20, 9))
        if where == -24:
            where = len(raw) - 24 + 2  # auth_pad_length: 12 -> 8
            raw[where] ^= 4
        else:
            raw[where] ^= 1
        conn.send(bytes(raw))
        conn.expect_fault(r.SEC_PKG, 0x03, closes=True)


@BOTH
def test_replay(daemon, level):
    with daemon.ntlm(level=level) as conn:
        raw = conn.protect(swn.GET_INTERFACE_LIST, b"", 2)
        conn.send(raw)
        swn.interfaces(conn.finish(2))
        conn.send(raw).expect_fault(r.SEC_PKG, 0x03, closes=True)


@BOTH
def test_gap(daemon, level):
    with daemon.ntlm(level=level) as conn:
        conn.protect(swn.GET_INTERFACE_LIST, b"", 2)
        conn.send(conn.protect(swn.GET_INTERFACE_LIST, b"", 3))
        conn.expect_fault(r.SEC_PKG, 0x03, closes=True)


@pytest.mark.parametrize("size", [1, 8, 15, 17, 64])
def test_wrong_signature_size(daemon, size):
    with daemon.ntlm() as conn:
        raw = conn.protect(swn.GET_INTERFACE_LIST, b"", 2)
        body, mac = raw[16:-16], (raw[-16:] + b"\0" * 64)[:size]
        conn.send(r.header(r.REQUEST, 3, 16 + len(body) + size, size, 2) + body + mac)
        pdu = conn.recv()
        if pdu is not None:
            assert pdu.ptype == r.FAULT and pdu.status in (r.ACCESS_DENIED, r.SEC_PKG, r.PROTO)
            assert conn.closed()


def test_trailer_that_is_not_aligned(daemon):
    with daemon.ntlm() as conn:
        sec = r.trailer(10, 5, 0, 1)
        conn.send(r.request(0, b"ab", auth=sec + b"\0" * 16)).expect_fault(r.PROTO, closes=True)


def test_padding_longer_than_the_stub(daemon):
    with daemon.ntlm() as conn:
        conn.send(r.request(0, b"\0" * 16, auth=r.trailer(10, 5, 17, 1) + b"\0" * 16))
        conn.expect_fault(r.PROTO, closes=True)


def test_last_fragment_names_another_context(daemon):
    stub = swn.register_ex()
    with daemon.ntlm() as conn:
        conn.send(conn.protect(swn.REGISTER_EX, stub[:64], 5, flags=r.FIRST))
        conn.send(conn.protect(swn.REGISTER_EX, stub[64:], 5, flags=r.LAST, auth_ctx=9))
        conn.expect_fault(r.SEC_PKG, closes=True)


def test_last_fragment_without_protection(daemon):
    stub = swn.register_ex()
    with daemon.ntlm() as conn:
        conn.send(conn.protect(swn.REGISTER_EX, stub[:64], 5, flags=r.FIRST))
        conn.send(r.request(swn.REGISTER_EX, stub[64:], 5, flags=r.LAST))
        conn.expect_fault(r.PROTO, closes=True)


def vt(*commands):
    """A verification trailer: (id with flags, data)."""
    out = bytes.fromhex("8ae3137102f43671")
    for command, data in commands:
        out += struct.pack("<HH", command, len(data)) + data
    return out


PCONTEXT = r.WITNESS + r.NDR20


@pytest.mark.parametrize("trailer,good", [
    (vt((1, b"\1\0\0\0"), (0x4002, PCONTEXT)), True),
    (vt((0x4002, PCONTEXT)), True),
    (vt((0x4002, r.MGMT + r.NDR20)), False),
    (vt((0x4002, r.WITNESS + r.NDR64)), False),
    (vt((0x4003, struct.pack("<B3s4sIHH", 0, b"", b"\x10\0\0\0", 2, 0, 0))), True),
    (vt((0x4003, struct.pack("<B3s4sIHH", 0, b"", b"\x10\0\0\0", 2, 0, 1))), False),
    (vt((0x4003, struct.pack("<B3s4sIHH", 0, b"", b"\x10\0\0\0", 3, 0, 0))), False),
    (vt((0xc077, b"")), False),
    (vt((0x4077, b"")), True),
    (vt((0x4002, PCONTEXT[:39])), True),
], ids=["usual", "pcontext", "other-interface", "other-transfer", "header2", "header2-opnum",
        "header2-call", "must-process", "unknown", "malformed"])
def test_verification_trailer(daemon, trailer, good):
    with daemon.ntlm(flags=7) as conn:
        conn.send(conn.protect(swn.GET_INTERFACE_LIST, trailer, 2))
        if good:
            swn.interfaces(conn.finish(2))
        else:
            conn.expect_fault(r.ACCESS_DENIED, closes=True)


def test_header_signing_downgrade(daemon):
    with daemon.ntlm(flags=3) as conn:
        conn.send(conn.protect(swn.GET_INTERFACE_LIST, vt((0x4001, b"\1\0\0\0")), 2))
        conn.expect_fault(r.ACCESS_DENIED, closes=True)
