# SPDX-License-Identifier: GPL-3.0-or-later
"""Raw DCE/RPC bytes over TCP: builders that can be told to lie, and a parser that checks nothing twice.

Deliberately not a client: every field can be set wrong. Authentication uses impacket's NTLM, so that
what the daemon signs and seals is judged by code that nobody here wrote.
"""
import socket
import struct
import time
import uuid

from Cryptodome.Cipher import ARC4
from impacket import ntlm

REQUEST, RESPONSE, FAULT = 0, 2, 3
BIND, BIND_ACK, BIND_NAK, ALTER, ALTER_RESP, AUTH3 = 11, 12, 13, 14, 15, 16
SHUTDOWN, CO_CANCEL, ORPHANED, RTS = 17, 18, 19, 20

FIRST, LAST, HDRSIGN, PENDING_CANCEL, MPX, DNE, OBJECT = 1, 2, 4, 4, 0x10, 0x20, 0x80

ACCESS_DENIED, BAD_STUB, SEC_PKG, NO_CALL = 5, 0x6F7, 0x721, 0x6BD
OP_RNG, UNK_IF, PROTO, CANCEL = 0x1C010002, 0x1C010003, 0x1C01000B, 0x1C00000D
CONTEXT_MISMATCH = 0x1C00001A


def syntax(text, major, minor=0):
    return uuid.UUID(text).bytes_le + struct.pack("<HH", major, minor)


NDR20 = syntax("8a885d04-1ceb-11c9-9fe8-08002b104860", 2)
NDR64 = syntax("71710533-beba-4937-8319-b5dbef9ccc36", 1)
BTFN = bytes.fromhex("2c1cb76c12984045") + struct.pack("<Q", 3) + struct.pack("<I", 1)
EPM = syntax("e1af8308-5d1f-11c9-91a4-08002b14a0fa", 3)
MGMT = syntax("afa8bd80-7d8a-11c9-bef4-08002b102989", 1)
WITNESS = syntax("ccd8c074-d0e5-4a40-92b4-d074faa6ba28", 1, 1)
UNKNOWN = syntax("12345678-1234-1234-1234-123456789abc", 1)


def header(ptype, flags, frag_length, auth_length=0, call_id=1, vers=5, minor=0,
           drep=b"\x10\0\0\0"):
    return struct.pack("<BBBB4sHHI", vers, minor, ptype, flags, drep, frag_length, auth_length,
                       call_id)


def trailer(auth_type, level, pad=0, context_id=1):
    return struct.pack("<BBBBI", auth_type, level, pad, 0, context_id)


def context(ctx_id, abstract, *transfers):
    transfers = transfers or (NDR20,)
    return struct.pack("<HBB", ctx_id, len(transfers), 0) + abstract + b"".join(transfers)


def bind(*contexts, ptype=BIND, call_id=1, flags=FIRST | LAST, xmit=4280, recv=4280, assoc=0,
         auth=b"", auth_length=None, n_ctx=None, frag_length=None, **hdr):
    """auth: sec_trailer and token together."""
    body = struct.pack("<HHIBBH", xmit, recv, assoc, len(contexts) if n_ctx is None else n_ctx, 0,
                       0) + b"".join(contexts) + auth
    if auth_length is None:
        auth_length = max(len(auth) - 8, 0)
    return header(ptype, flags, frag_length or 16 + len(body), auth_length, call_id, **hdr) + body


def auth3(auth, call_id=1, flags=FIRST | LAST):
    return header(AUTH3, flags, 20 + len(auth), max(len(auth) - 8, 0), call_id) + b"\0" * 4 + auth


def request(opnum, stub=b"", call_id=2, ctx_id=0, flags=FIRST | LAST, hint=None, obj=b"", auth=b"",
            frag_length=None, auth_length=None, ptype=REQUEST, **hdr):
    if obj:
        flags |= OBJECT
    body = struct.pack("<IHH", len(stub) if hint is None else hint, ctx_id, opnum) + obj + stub + auth
    if auth_length is None:
        auth_length = max(len(auth) - 8, 0)
    return header(ptype, flags, frag_length or 16 + len(body), auth_length, call_id, **hdr) + body


def empty(ptype, call_id, flags=FIRST | LAST):
    return header(ptype, flags, 16, 0, call_id)


class Pdu:
    """A received PDU; always little-endian, whatever was asked in."""

    def __init__(self, raw):
        self.raw = raw
        (self.vers, self.minor, self.ptype, self.flags, self.drep, self.frag_length,
         self.auth_length, self.call_id) = struct.unpack_from("<BBBB4sHHI", raw)
        assert (self.vers, self.minor, self.drep) == (5, 0, b"\x10\0\0\0")
        self.auth = b""
        end = len(raw)
        if self.auth_length:
            end = len(raw) - self.auth_length - 8
            self.auth_type, self.auth_level, self.pad, _, self.auth_ctx = struct.unpack_from(
                "<BBBBI", raw, end)
            self.auth = raw[end + 8:]
        self.end = end
        if self.ptype in (BIND_ACK, ALTER_RESP):
            self._results(raw)
        elif self.ptype == BIND_NAK:
            self.reason = struct.unpack_from("<H", raw, 16)[0]
        elif self.ptype in (RESPONSE, FAULT):
            self.hint, self.ctx_id = struct.unpack_from("<IH", raw, 16)
            self.stub = raw[24:end - (self.pad if self.auth_length else 0)]
            if self.ptype == FAULT:
                self.status = struct.unpack_from("<I", raw, 24)[0]

    def _results(self, raw):
        self.xmit, self.recv, self.assoc, addr_len = struct.unpack_from("<HHIH", raw, 16)
        self.sec_addr = raw[26:26 + addr_len]
        off = (26 + addr_len + 3) & ~3
        count = raw[off]
        self.results = [struct.unpack_from("<HH", raw, off + 4 + 24 * i) for i in range(count)]
        self.transfers = [raw[off + 8 + 24 * i:off + 28 + 24 * i] for i in range(count)]

    def __repr__(self):
        return f"<ptype {self.ptype} flags {self.flags:#x} call {self.call_id} {self.raw.hex()}>"


# Of a client that does not read: with small segments the kernel keeps 100 KB for it instead of 4 MB.
DEAF = ((socket.SOL_SOCKET, socket.SO_RCVBUF, 2048), (socket.IPPROTO_TCP, socket.TCP_MAXSEG, 536))


class Conn:
    """One TCP connection."""

    def __init__(self, addr, port, source=None, options=()):
        """options: of the socket, set before it is connected."""
        self.sock = socket.socket(socket.AF_INET6 if ":" in addr else socket.AF_INET)
        try:
            for option in options:
                self.sock.setsockopt(*option)
            self.sock.settimeout(5)
            if source:
                self.sock.bind((source, 0))
            self.sock.connect((addr, port))
            self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        except OSError:
            self.sock.close()
            raise
        self.buf = b""

    def close(self):
        self.sock.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def send(self, data):
        self.sock.sendall(data)
        return self

    def recv(self, timeout=10):
        """The next PDU, or None when the server has closed."""
        deadline = time.monotonic() + timeout
        while len(self.buf) < 16 or len(self.buf) < struct.unpack_from("<H", self.buf, 8)[0]:
            self.sock.settimeout(max(deadline - time.monotonic(), 0.001))
            try:
                more = self.sock.recv(65536)
            except (ConnectionResetError, BrokenPipeError):
                more = b""
            if not more:
                assert not self.buf, f"closed inside a PDU: {self.buf.hex()}"
                return None
            self.buf += more
        length = struct.unpack_from("<H", self.buf, 8)[0]
        pdu, self.buf = Pdu(self.buf[:length]), self.buf[length:]
        return pdu

    def ask(self, data, timeout=10):
        return self.send(data).recv(timeout)

    def closed(self, timeout=10):
        """Whether the server closes without another PDU."""
        return self.recv(timeout) is None

    def bind(self, *contexts, **kw):
        ack = self.ask(bind(*contexts, **kw))
        assert ack is not None and ack.ptype == BIND_ACK, ack
        return ack

    def expect_fault(self, status, flags=None, call_id=None, closes=False):
        pdu = self.recv()
        assert pdu is not None and pdu.ptype == FAULT, pdu
        assert pdu.status == status, f"{pdu.status:#x} instead of {status:#x}"
        assert pdu.auth_length == 0 and pdu.frag_length == 32
        if flags is not None:
            assert pdu.flags == flags, hex(pdu.flags)
        if call_id is not None:
            assert pdu.call_id == call_id
        if closes:
            assert self.closed()
        return pdu

    def expect_nak(self, reason):
        pdu = self.recv()
        assert pdu is not None and pdu.ptype == BIND_NAK, pdu
        assert pdu.reason == reason and pdu.frag_length == 24
        assert self.closed()


class NtlmConn(Conn):
    """A connection authenticated by raw NTLM; can sign or seal, and lie about it afterwards."""

    def __init__(self, daemon, abstract=WITNESS, level=5, flags=FIRST | LAST, assoc=0, user=None,
                 password=None, context_id=1, xmit=4280, contexts=None, source=None):
        super().__init__(daemon.addr, daemon.port, source)
        self.level, self.auth_ctx = level, context_id
        self.seq_out = self.seq_in = 0
        self.call_id = 1
        user, password = user or daemon.user, password or daemon.password
        type1 = ntlm.getNTLMSSPType1("", "", True, use_ntlmv2=True)
        # gss-ntlmssp wants the version field in the first message; impacket cannot do it in the third.
        type1["os_version"] = b"\x0a\x00\x61\x4a\x00\x00\x00\x0f"
        negotiate = type1.getData()
        type1["flags"] &= ~ntlm.NTLMSSP_NEGOTIATE_VERSION
        contexts = contexts or [context(0, abstract)]
        self.ack = self.bind(*contexts, flags=flags, assoc=assoc, xmit=xmit, recv=xmit,
                             auth=trailer(10, level, 0, context_id) + negotiate)
        assert self.ack.auth_type == 10 and self.ack.auth_level == level
        type3, self.key = ntlm.getNTLMSSPType3(type1, self.ack.auth, user, password, daemon.domain,
                                               use_ntlmv2=True)
        self.type3 = type3.getData()
        flags = type3["flags"]
        self.ntlm_flags = flags
        self.sign_out = ntlm.SIGNKEY(flags, self.key)
        self.sign_in = ntlm.SIGNKEY(flags, self.key, "Server")
        self.seal_out = ARC4.new(ntlm.SEALKEY(flags, self.key)).encrypt
        self.seal_in = ARC4.new(ntlm.SEALKEY(flags, self.key, "Server")).encrypt
        self.send_auth3()

    def send_auth3(self):
        self.send(auth3(trailer(10, self.level, 0, self.auth_ctx) + self.type3))

    def protect(self, opnum, stub, call_id, ctx_id=0, flags=FIRST | LAST, hint=None, auth_ctx=None,
                level=None, auth_type=10):
        """A signed or sealed request fragment."""
        pad = -len(stub) % 16
        level_sent = self.level if level is None else level
        auth_ctx = self.auth_ctx if auth_ctx is None else auth_ctx
        sec = trailer(auth_type, level_sent, pad, auth_ctx)
        plain = request(opnum, stub + b"\0" * pad, call_id, ctx_id, flags, hint,
                        auth=sec + b"\0" * 16)
        signed = plain[:-16]
        if self.level == 6:
            sealed, mac = ntlm.SEAL(self.ntlm_flags, self.sign_out, None, signed,
                                    stub + b"\0" * pad, self.seq_out, self.seal_out)
            out = plain[:24] + sealed + sec + mac.getData()
        else:
            mac = ntlm.SIGN(self.ntlm_flags, self.sign_out, signed, self.seq_out, self.seal_out)
            out = signed + mac.getData()
        self.seq_out += 1
        return out

    def unprotect(self, pdu):
        """Verify (and unseal) a response; its stub."""
        assert pdu.auth_length == 16 and pdu.auth_level == self.level
        assert pdu.auth_type == 10 and pdu.auth_ctx == self.auth_ctx
        body = pdu.raw[24:pdu.end]
        if self.level == 6:
            body = self.seal_in(body)
        signed = pdu.raw[:24] + body + pdu.raw[pdu.end:pdu.end + 8]
        mac = ntlm.SIGN(self.ntlm_flags, self.sign_in, signed, self.seq_in, self.seal_in)
        assert mac.getData() == pdu.auth, "wrong signature"
        self.seq_in += 1
        return body[:len(body) - pdu.pad]

    def start(self, opnum, stub=b"", ctx_id=0):
        """Send one request; its call id."""
        self.call_id += 1
        self.send(self.protect(opnum, stub, self.call_id, ctx_id))
        return self.call_id

    def finish(self, call_id=None, timeout=10):
        """The stub of the next answer, fragments joined; a fault raises RpcFault."""
        stub = b""
        while True:
            pdu = self.recv(timeout)
            assert pdu is not None, "connection closed"
            if call_id is not None:
                assert pdu.call_id == call_id, pdu
            if pdu.ptype == FAULT:
                raise RpcFault(pdu)
            assert pdu.ptype == RESPONSE, pdu
            stub += self.unprotect(pdu)
            if pdu.flags & LAST:
                return stub

    def call(self, opnum, stub=b"", ctx_id=0, timeout=10):
        return self.finish(self.start(opnum, stub, ctx_id), timeout)


class RpcFault(Exception):
    def __init__(self, pdu):
        super().__init__(f"fault {pdu.status:#x}")
        self.pdu = pdu
        self.status = pdu.status
