# SPDX-License-Identifier: GPL-3.0-or-later
"""A witnessd that root starts: nothing of root's is left, and everything still works."""
import array
import contextlib
import errno
import grp
import os
import pathlib
import signal
import socket
import struct
import subprocess
import tempfile

import pytest
import swn
from conftest import BUILD, MAP, TOP, Daemon, wait_for
from kdc import Kdc

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root has rights to give up")

USER, UID = "nobody", 65534  # there is one everywhere, so none has to be made
CAPS = ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")
DAC_OVERRIDE, DAC_READ_SEARCH, NET_ADMIN, NET_RAW = 1 << 1, 1 << 2, 1 << 12, 1 << 13
SANITIZED = b"libasan" in subprocess.run(["ldd", os.path.join(BUILD, "witnessd")], capture_output=True,
                                         check=False).stdout


class Dropped(Daemon):
    """It may read what it has to: a folder of this test's is root's own."""

    def __init__(self, options=(), **kw):
        super().__init__({"global.user": USER, "tickle.enabled": "yes",
                          "global.blackbox_dir": "/nonexistent/not-the-host's", **dict(options)}, **kw)
        os.chmod(self.dir, 0o755)
        os.chmod(os.path.join(self.dir, "users"), 0o600)

    def ended(self):
        """It should not have started: the reason."""
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(self.argv, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        assert self.process.wait(60) == 1
        text = self.text()
        self.process = None
        return text


@pytest.fixture
def open_path():
    """A folder that others can look into; those of pytest are root's own."""
    with tempfile.TemporaryDirectory(prefix="witnessd-test-") as folder:
        os.chmod(folder, 0o755)
        yield pathlib.Path(folder)


@pytest.fixture
def dropped():
    started = []

    def start(options=(), **kw):
        server = Dropped(options, **kw)
        started.append(server)
        return server

    yield start
    for server in started:
        server.stop()


def threads(pid):
    """What the kernel says of each thread."""
    for task in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{task}/status", encoding="utf-8") as f:
            yield dict(line.rstrip("\n").split(":\t", 1) for line in f if ":\t" in line)


def children(pid):
    with open(f"/proc/{pid}/task/{pid}/children", encoding="utf-8") as f:
        return [int(word) for word in f.read().split()]


def name(pid):
    with open(f"/proc/{pid}/comm", encoding="utf-8") as f:
        return f.read().strip()


def opener(server):
    """Its process, and that of the agent, which it has started."""
    found = [pid for pid in children(server.process.pid) if name(pid) == "witness-opener"]
    assert len(found) == 1, found
    agent = wait_for(lambda: server.json("status")["tickle"]["agent"]["pid"], "the agent runs")
    wait_for(lambda: children(found[0]) == [agent] and name(agent) == "witness-tickle", "it is the opener's")
    return found[0], agent


def check_process(pid, caps, inheritable=0):
    expected = {"CapPrm": caps, "CapEff": caps, "CapInh": inheritable, "CapBnd": 0, "CapAmb": 0}
    for status in threads(pid):
        assert status["Uid"].split() == [str(UID)] * 4 and "0" not in status["Groups"].split(), status
        assert status["Gid"].split() == [str(UID)] * 4, status
        assert {kind: int(status[kind], 16) for kind in CAPS} == expected, status
        assert status["NoNewPrivs"] == "1" and status["Seccomp"] == ("0" if SANITIZED else "2"), status


def test_no_thread_has_a_right(dropped):
    server = dropped().start()
    with server.ntlm() as conn:  # by a thread of the pool, too
        assert swn.interfaces(conn.call(swn.GET_INTERFACE_LIST))
        assert len(list(threads(server.process.pid))) > 1
        check_process(server.process.pid, 0)
    helper, agent = opener(server)
    check_process(helper, DAC_READ_SEARCH | NET_ADMIN | NET_RAW, NET_ADMIN | NET_RAW)
    check_process(agent, NET_ADMIN | NET_RAW)


def test_low_ports_and_everything_that_clients_want(dropped):
    """Port 135's kind of port, a registration, an event, a reload, an answer to witnessctl."""
    port = next(p for p in range(700, 1000) if not busy(p))
    server = dropped({"rpc.epmapper_port": port}).start()
    server.epm_port = port
    server.raw(epm=True).close()
    with server.ntlm() as conn:
        handle = server.register(conn, net_name="FS", ip="127.0.77.2")
        call = conn.start(swn.ASYNC_NOTIFY, handle)
        server.write("cluster.map", MAP.replace("[address 127.0.77.2]\nnode = n2", "[address 127.0.77.2]\nstate = unavailable"))
        os.chmod(server.map, 0o644)
        assert conn.finish(call)
    server.process.send_signal(signal.SIGHUP)
    wait_for(lambda: "Log opened again" in server.text(), "the reload")
    assert server.ctl("ping").stdout
    assert "cannot" not in server.text()


def busy(port):
    with open("/proc/net/tcp", encoding="ascii") as f:
        return any(line.split()[1].endswith(f":{port:04X}") for line in f.readlines()[1:])


def test_users_that_are_added_later(dropped):
    """The file is root's, and is read again."""
    server = dropped().start()
    path = server.write("users", f"{server.domain}:carol:Secret.3\n")
    os.chmod(path, 0o600)
    with server.ntlm(user="carol", password="Secret.3") as conn:
        assert swn.interfaces(conn.call(swn.GET_INTERFACE_LIST))


def test_keytab_of_root_that_changes(dropped, open_path, monkeypatch):
    """Its keys are good at the start and after they were replaced; a keytab that others can read is named."""
    realm = Kdc(open_path)
    realm.add("cifs/FS", "cifs/fs.lab.test", "alice")
    keytab = realm.keytab("keytab", "cifs/FS", "cifs/fs.lab.test")
    os.chmod(open_path / "krb5.conf", 0o644)
    os.chmod(keytab, 0o604)
    monkeypatch.setenv("KRB5_CONFIG", realm.env["KRB5_CONFIG"])
    realm.start()
    try:
        server = dropped({"auth.keytab": keytab, "auth.kerberos": "yes"}).start()
        assert f"auth.keytab: {keytab} has mode 0604" in server.text()
        client = realm.keytab("client", "alice")
        assert asked(server, realm, client) == 0, server.text()
        os.unlink(keytab)
        realm.admin("cpw", "-randkey", "cifs/fs.lab.test")
        realm.keytab("keytab", "cifs/FS", "cifs/fs.lab.test")
        os.chmod(keytab, 0o600)
        wait_for(lambda: asked(server, realm, client) == 0, "the new keys", 30)
        assert "Acceptor credentials read again" in server.text()
    finally:
        realm.stop()


def asked(server, realm, client):
    """By Kerberos, with a fresh ticket."""
    env = dict(realm.env, KRB5CCNAME="MEMORY:asked", KRB5_CLIENT_KTNAME=f"FILE:{client}")
    return subprocess.run([os.path.join(BUILD, "witnessctl"), "probe", "--server", server.addr, "--epm-port",
                           str(server.epm_port), "--target", "cifs@fs.lab.test", "--kerberos", "--user", "alice"],
                          env=env, stdin=subprocess.DEVNULL, capture_output=True, timeout=60, check=False).returncode


def test_agent_is_started_again(dropped):
    server = dropped().start()
    helper, agent = opener(server)
    os.kill(agent, signal.SIGKILL)
    wait_for(lambda: server.json("status")["tickle"]["agent"]["pid"] not in (0, agent), "another agent")
    check_process(opener(server)[1], NET_ADMIN | NET_RAW)
    assert opener(server)[0] == helper


def test_without_its_opener_it_ends(dropped):
    """Nobody else could open the keytab: whoever has started it starts both again."""
    server = dropped().start()
    os.kill(opener(server)[0], signal.SIGKILL)
    assert server.process.wait(20) == 1
    assert "witness-opener has ended" in server.text()
    server.process = None


def test_opener_ends_with_it(dropped):
    server = dropped().start()
    helper, agent = opener(server)
    server.process.kill()
    server.process.wait()
    server.process = None
    wait_for(lambda: not os.path.exists(f"/proc/{helper}") and not os.path.exists(f"/proc/{agent}"), "their end")


def test_opener_is_for_witnessd():
    """By hand, or with what it does not know, it does nothing."""
    program = os.path.join(BUILD, "witness-opener")
    for args in ([], ["--user", "0", "--group", "1"], ["--file", "etc/passwd"], ["--user", "1", "--group", "1"]):
        done = subprocess.run([program, *args], stdin=subprocess.DEVNULL, capture_output=True, check=False)
        assert done.returncode == 2 and done.stderr, done


def test_start_in_the_background_ends(dropped, open_path):
    """Whoever starts it so waits for the end of what it says, as the resource agent does."""
    target, pidfile = str(open_path / "log"), str(open_path / "pid")
    server = dropped({"global.log_target": target, "global.pid_file": pidfile})
    argv = [word if word != "-f" else "--daemon" for word in server.argv]
    done = subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0 and not done.stderr, done
    with open(pidfile, encoding="ascii") as f:
        pid = int(f.read())
    try:
        assert server.ctl("ping").stdout.strip().endswith(f"process {pid}")
        assert os.stat(target).st_uid == UID and os.stat(pidfile).st_uid == 0
        check_process(pid, 0)
    finally:
        os.kill(pid, signal.SIGTERM)
        wait_for(lambda: not os.path.exists(f"/proc/{pid}"), "its end")
    assert not os.path.getsize(pidfile)


FILE, CONNECT, RUN = 1, 2, 3


class Opener:
    """The program itself, with this test in the place of witnessd."""

    def __init__(self, *args):
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.sock = ours
        self.process = subprocess.Popen([os.path.join(BUILD, "witness-opener"), "--user", str(UID), "--group", str(UID),
                                         *args], stdin=theirs, stdout=subprocess.DEVNULL)
        theirs.close()
        ours.settimeout(20)
        assert struct.unpack("=ii", ours.recv(8)) == (0, 0)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.sock.close()
        assert self.process.wait(20) == 0

    def ask(self, verb, path):
        """The error and, without one, a descriptor."""
        self.sock.send(struct.pack("=I1024s", verb, os.fsencode(path)))
        room = array.array("i")
        data, control, _, _ = self.sock.recvmsg(64, socket.CMSG_SPACE(room.itemsize))
        for _, _, fds in control:
            room.frombytes(fds)
        return struct.unpack("=ii", data)[0], room[0] if room else None


def test_opener_opens_what_it_was_started_with(open_path):
    secret, other, fifo, sock = (str(open_path / word) for word in ("secret", "other", "fifo", "sock"))
    for path in (secret, other):
        with open(path, "w", encoding="ascii") as f:
            f.write("key")
        os.chmod(path, 0o600)
    os.mkfifo(fifo)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(sock)
        listener.listen()
        os.chmod(sock, 0o700)
        with Opener("--file", secret, "--file", fifo, "--file", "/no/such", "--connect", sock) as opened:
            err, fd = opened.ask(FILE, secret)
            assert err == 0 and os.read(fd, 10) == b"key"
            with pytest.raises(OSError):
                os.write(fd, b"x")
            os.close(fd)
            err, fd = opened.ask(CONNECT, sock)
            assert err == 0
            os.close(fd)
            for verb, path, expected in ((FILE, other, errno.EACCES), (CONNECT, secret, errno.EACCES),
                                         (FILE, sock, errno.EACCES), (RUN, "/bin/true", errno.EACCES),
                                         (7, secret, errno.EACCES), (FILE, fifo, errno.EINVAL),
                                         (FILE, "/no/such", errno.ENOENT), (FILE, "x" * 1024, errno.EACCES)):
                assert opened.ask(verb, path) == (expected, None), path


def test_opener_ends_at_nonsense(open_path):
    with Opener("--file", str(open_path)) as opened:
        opened.sock.send(b"x")
        assert opened.process.wait(20) == 0


def test_user_and_group_have_to_exist(dropped):
    assert "global.user: there is no user nobody-at-all" in dropped({"global.user": "nobody-at-all"}).ended()
    assert "global.group: there is no group nobody-at-all" in dropped({"global.group": "nobody-at-all"}).ended()
    assert "neither the user nor the group" in dropped({"global.group": "root"}).ended()


def test_folder_of_the_blackbox(dropped, open_path):
    """It is made while that is possible, and belongs to who writes there."""
    folder = str(open_path / "blackbox")
    server = dropped({"global.blackbox_dir": folder}).start()
    server.ctl("blackbox")
    for path in (folder, *(os.path.join(folder, file) for file in os.listdir(folder))):
        assert os.stat(path).st_uid == UID and os.stat(path).st_mode & 0o077 == 0


def memory(prefix):
    """Of the folder of a connection and its files what the kernel says, unless the connection ends meanwhile."""
    for name_ in os.listdir("/dev/shm"):
        if name_.startswith(prefix):
            path = os.path.join("/dev/shm", name_)
            with contextlib.suppress(FileNotFoundError):
                rings = [os.stat(os.path.join(path, file)) for file in os.listdir(path)]
                return rings and (os.stat(path), rings)
    return None


def test_memory_of_a_connection_is_for_its_client(dropped):
    """witnessctl's requests are in shared memory: nobody else reads or writes there."""
    server = dropped({"global.group": "games"}).start()  # one that others are in, as haclient
    assert [status["Gid"].split()[1] for status in threads(server.process.pid)] == [str(grp.getgrnam("games").gr_gid)]
    with subprocess.Popen([os.path.join(BUILD, "witnessctl"), "--socket", server.control, "events", "--follow"],
                          stdout=subprocess.DEVNULL) as follower:
        try:
            folder, rings = wait_for(lambda: memory(f"qb-{server.process.pid}-{follower.pid}-"), "its memory")
            assert folder.st_gid == UID
            for ring in rings:
                assert ring.st_uid == UID and ring.st_mode & 0o077 == 0, ring
        finally:
            follower.kill()


def test_unit_grants_what_the_document_names():
    """One list of capabilities: what docs/security.md gives reasons for is what the unit leaves."""
    with open(os.path.join(TOP, "packaging/witnessd.service"), encoding="utf-8") as f:
        granted = next(line for line in f if line.startswith("CapabilityBoundingSet="))
    with open(os.path.join(TOP, "docs/security.md"), encoding="utf-8") as f:
        text = f.read()
    for cap in granted.strip().partition("=")[2].split():
        assert cap in text, cap
