# SPDX-License-Identifier: GPL-3.0-or-later
"""Network namespaces on a bridge, for tests that need hosts and not whole machines. Needs root.

Each host is a process that sleeps in a namespace of its own; commands enter by nsenter(1), sockets of
this process by a thread that changes its namespace and leaves the socket behind.
"""
import ctypes
import os
import socket
import subprocess
import threading

CLONE_NEWNET = 0x40000000


class Host:
    def __init__(self):
        self.process = subprocess.Popen(["unshare", "--net", "sh", "-c", "echo up; exec cat"],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.process.stdout.readline()  # the namespace is there

    @property
    def enter(self):
        return ["nsenter", "--target", str(self.process.pid), "--net", "--"]

    def run(self, *command, **kw):
        done = subprocess.run([*self.enter, *command], stdout=subprocess.PIPE, timeout=30,
                              stderr=subprocess.STDOUT, text=True, check=False, **kw)
        return done.returncode, done.stdout

    def must(self, *command, **kw):
        status, out = self.run(*command, **kw)
        assert status == 0, f"{' '.join(command)}: exit status {status}\n{out}"
        return out

    def start(self, *command):
        return subprocess.Popen([*self.enter, *command], stdin=subprocess.PIPE,
                                stdout=subprocess.PIPE, text=True, bufsize=1)

    def inside(self, function):
        """Call the function in this host's network; sockets that it makes stay there."""
        result = []

        def thread():
            fd = os.open(f"/proc/{self.process.pid}/ns/net", os.O_RDONLY)
            try:
                libc = ctypes.CDLL(None, use_errno=True)
                if libc.setns(fd, CLONE_NEWNET) != 0:
                    raise OSError(ctypes.get_errno(), "setns")
                result.append((function(), None))
            except Exception as why:  # pylint: disable=broad-except # handed to the caller
                result.append((None, why))
            finally:
                os.close(fd)

        worker = threading.Thread(target=thread)
        worker.start()
        worker.join()
        if result[0][1] is not None:
            raise result[0][1]
        return result[0][0]

    def listen(self, family, address, port):
        def make():
            sock = socket.socket(family)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            sock.bind((address, port))
            sock.listen(1024)
            return sock
        return self.inside(make)

    def connect(self, address, port):
        return self.inside(lambda: socket.create_connection((address, port), timeout=10))

    def set(self, key, value):
        self.inside(lambda: open(f"/proc/sys/net/{key}", "w", encoding="ascii").write(value))

    def end(self):
        self.process.stdin.close()
        self.process.wait()


class Network:
    """A bridge with hosts: host number i (from 1) has 10.9.0.i and fd99::i on eth0."""

    def __init__(self, *names):
        self.hub = Host()
        self.hosts = {}
        self.hub.must("ip", "link", "add", "br0", "type", "bridge", "forward_delay", "0",
                      "mcast_snooping", "0")
        self.hub.must("ip", "link", "set", "br0", "up")
        for number, name in enumerate(names, 1):
            self.hosts[name] = host = Host()
            self.hub.must("ip", "link", "add", f"to-{name}", "type", "veth", "peer", "name", "eth0",
                          "netns", str(host.process.pid))
            self.hub.must("ip", "link", "set", f"to-{name}", "master", "br0", "up")
            host.must("ip", "link", "set", "lo", "up")
            host.must("ip", "address", "add", f"10.9.0.{number}/24", "dev", "eth0")
            host.must("ip", "address", "add", f"fd99::{number}/64", "dev", "eth0", "nodad")
            host.must("ip", "link", "set", "eth0", "up")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for host in (*self.hosts.values(), self.hub):
            host.end()

    def plug(self, name, state):
        self.hub.must("ip", "link", "set", f"to-{name}", state)
