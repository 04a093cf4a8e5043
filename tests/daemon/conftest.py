# SPDX-License-Identifier: GPL-3.0-or-later
"""A real witnessd on the static backend and loopback addresses of its own."""
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time

import pytest

sys.path.insert(0, os.path.dirname(__file__))
import rawrpc as r  # noqa: E402
import swn  # noqa: E402
from ports import free_port  # noqa: E402

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.environ.get("B", os.path.join(TOP, "build"))

NODES = """\
[cluster]
quorate = yes
[node n1]
id = 1
online = yes
[node n2]
id = 2
online = yes
[node n3]
id = 3
online = yes
"""
MAP = NODES + """\
[address 127.0.77.1]
node = n1
group = fs1
[address 127.0.77.2]
node = n2
group = fs2
[address 127.0.77.3]
node = n3
group = fs3
[address fd00:77::3]
node = n3
group = fs3
"""


def wait_for(condition, what, timeout=20):
    deadline = time.monotonic() + timeout
    while time.monotonic() < deadline:
        value = condition()
        if value:
            return value
        time.sleep(0.02)
    raise AssertionError(f"{what}: not within {timeout} s")


class Daemon:
    """One running witnessd. user, password and domain are in its NTLM user file."""
    count = 0
    user, password, domain = "alice", "Secret.1", "LAB"
    other_user, other_password = "bob", "Secret.2"

    def __init__(self, options=(), cluster_map=MAP, node="n1", addr="127.0.77.1"):
        Daemon.count += 1
        self.dir = tempfile.mkdtemp(prefix="witnessd-test-")
        self.addr = addr
        self.control = f"witnessd-test-{os.getpid()}-{Daemon.count}"
        self.map = os.path.join(self.dir, "cluster.map")
        self.log = os.path.join(self.dir, "log")
        self.epm_port, self.port = free_port(), free_port()
        self.write("cluster.map", cluster_map)
        self.write("users", f"{self.domain}:{self.user}:{self.password}\n"
                   f"{self.domain}:{self.other_user}:{self.other_password}\n")
        self.write("smb.conf", "[global]\nnetbios name = FS\n[data]\npath = /srv/data\n")
        settings = {
            "global.backend": "static", "global.node": node, "global.module_dir": BUILD,
            "global.log_target": "stderr", "global.log_level": "debug",
            "global.user": "root",  # its files are in a folder of root's; test_privileges.py has another user
            "global.control": self.control, "static.map": self.map,
            "witness.net_names": "FS fs.lab.test", "witness.smb_conf": f"{self.dir}/smb.conf",
            "rpc.listen": addr, "rpc.port": self.port, "rpc.epmapper_port": self.epm_port,
            "auth.kerberos": "no", "auth.ntlm_user_file": f"{self.dir}/users",
        }
        settings.update(options)
        self.argv = [os.path.join(BUILD, "witnessd"), "-f", "-c", "/dev/null"]
        for key, value in settings.items():
            self.argv += ["-o", f"{key}={value}"]
        self.process = None

    def write(self, name, text):
        path = os.path.join(self.dir, name)
        with open(path + ".new", "w", encoding="utf-8") as f:
            f.write(text)
        os.rename(path + ".new", path)
        return path

    def start(self):
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(self.argv, stdin=subprocess.DEVNULL, stdout=log,
                                            stderr=log)
        wait_for(self.serving, "witnessd serves", 30)
        return self

    def serving(self):
        assert self.process.poll() is None, f"witnessd ended: {self.text()}"
        return self.ctl("ping", check=False).returncode == 0

    def text(self):
        with open(self.log, encoding="utf-8", errors="replace") as f:
            return f.read()

    def ctl(self, *args, check=True):
        done = subprocess.run([os.path.join(BUILD, "witnessctl"), "--socket", self.control, *args],
                              stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=30,
                              check=False)
        assert not check or done.returncode == 0, done
        return done

    def json(self, *args):
        return json.loads(self.ctl("--json", *args).stdout)

    def alive(self):
        return self.process is not None and self.process.poll() is None

    def stop(self):
        """End it, check that it ended well, and remove what it left."""
        status = 0
        if self.alive():
            self.process.send_signal(signal.SIGTERM)
            try:
                status = self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
                status = "no end within 20 s of SIGTERM"
        elif self.process is not None:
            status = self.process.returncode
        text = self.text() if os.path.exists(self.log) else ""
        shutil.rmtree(self.dir)
        assert status == 0, f"witnessd ended with {status}: {text[-4000:]}"
        assert "ERROR: " not in text and "runtime error" not in text, text[-8000:]

    # What tests use most.
    def conn(self, *contexts, **kw):
        """An anonymous connection to the witness port, bound to mgmt unless told otherwise."""
        conn = r.Conn(self.addr, self.port)
        conn.ack = conn.bind(*(contexts or [r.context(0, r.MGMT)]), **kw)
        return conn

    def raw(self, epm=False):
        return r.Conn(self.addr, self.epm_port if epm else self.port)

    def ntlm(self, **kw):
        return r.NtlmConn(self, **kw)

    def register(self, conn, **kw):
        handle, code = swn.handle_reply(conn.call(swn.REGISTER_EX, swn.register_ex(**kw)))
        assert code == 0, code
        return handle


@pytest.fixture(scope="module")
def daemon():
    """One witnessd for the tests of a file; at the end it must still live and stop cleanly."""
    server = Daemon()
    try:
        yield server.start()
        assert server.alive(), server.text()[-8000:]
    finally:
        server.stop()


@pytest.fixture
def bystander(daemon):
    """Another client, served before and after whatever the test does to its own connection."""
    with daemon.ntlm() as conn:
        swn.interfaces(conn.call(swn.GET_INTERFACE_LIST))
        yield conn
        swn.interfaces(conn.call(swn.GET_INTERFACE_LIST))


@pytest.fixture
def start_daemon():
    """A factory for daemons with options of their own."""
    started = []

    def start(options=(), **kw):
        server = Daemon(options, **kw)
        started.append(server)
        return server.start()

    yield start
    for server in started:
        server.stop()
