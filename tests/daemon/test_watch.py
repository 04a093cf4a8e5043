# SPDX-License-Identifier: GPL-3.0-or-later
"""witnessctl watch against three daemons that play the nodes of one cluster."""
import json
import os
import signal
import subprocess
import time

import pytest

from cluster import Nodes
from conftest import BUILD, Daemon
from lines import Program

SERVER = "127.0.78.1"
MOVING = "127.0.78.9"


class Cluster(Nodes):
    """Each on its own."""

    def __init__(self, tmp_path, more=()):
        super().__init__(tmp_path, "127.0.78", more)

    def ctl(self, *words):
        self.nodes["n2"].ctl("static", *words)


class Watch(Program):
    """A running witnessctl watch."""

    def __init__(self, cluster, *options, server=SERVER, json_lines=True, user=True,
                 password=Daemon.password):
        argv = [os.path.join(BUILD, "witnessctl"), "watch", "fs.lab.test", "--server", server,
                "--epm-port", str(cluster.epm_port), "--client-name", "tester"]
        if json_lines:
            argv.append("--json")
        if user:
            argv += ["--user", f"{Daemon.domain}\\{Daemon.user}", "--ntlm"]
        argv += options
        env = dict(os.environ, WITNESSCTL_PASSWORD=password)
        super().__init__(argv, env=env)

    def next(self, timeout=20):
        return json.loads(self.take(timeout))

    def wait(self, event, **fields):
        """The next line of that event with these fields; others are passed over."""
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            line = self.next()
            if line["event"] == event and all(line.get(k) == v for k, v in fields.items()):
                return line
        raise AssertionError(f"no {event} {fields} in {self.seen}")

    def changed(self, state):
        line = self.wait("notification", type="RESOURCE_CHANGE")
        assert [change["state"] for change in line["changes"]] == [state], line
        return line

    def ends(self, code):
        """It ends by itself, with that exit status."""
        got = self.process.wait(20)
        if got != code:
            print(self.process.stderr.read())
        assert got == code, (got, self.seen)

    def stop(self, signum=signal.SIGTERM):
        """It has not ended, and a signal makes it unregister and end well."""
        assert self.process.poll() is None
        self.process.send_signal(signum)
        self.ends(0)


@pytest.fixture
def watch_of():
    """Start a Watch that does not survive its test."""
    started = []

    def start(*args, **kw):
        started.append(Watch(*args, **kw))
        return started[-1]
    yield start
    for watch in started:
        watch.end()


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    nodes = Cluster(tmp_path_factory.mktemp("watch"))
    yield nodes
    nodes.stop()


def registered_at(cluster):
    """Client names by node."""
    return {name: [r["client"] for r in node.json("list")] if node.alive() else []
            for name, node in cluster.nodes.items()}


def test_registers_on_another_node_and_unregisters(cluster, watch_of):
    watch = watch_of(cluster)
    line = watch.wait("registered")
    assert line["server"] == SERVER and line["version"] == 2
    assert line["witness"] in ("127.0.78.2", "127.0.78.3")
    assert line["net_name"] == "fs.lab.test"
    assert abs(line["time"] - time.clock_gettime(time.CLOCK_MONOTONIC)) < 20
    watch.stop()
    assert not any(node.json("list") for node in cluster.nodes.values())


@pytest.mark.parametrize("options", [["--seal"], ["--v1"], ["--share", "data"]])
def test_is_told_of_loss_and_return(cluster, watch_of, options):
    watch = watch_of(cluster, *options, "--count", "2", server=MOVING)
    watch.wait("registered", version=1 if "--v1" in options else 2)
    cluster.ctl("address", MOVING, "down")
    watch.changed("unavailable")
    cluster.ctl("address", MOVING, "up")
    watch.changed("available")
    watch.ends(0)


def test_is_told_of_addresses_that_come_and_go(cluster, watch_of):
    watch = watch_of(cluster, "--ip-notify")
    watch.wait("registered")
    for word, state in (("down", "offline"), ("up", "online")):
        cluster.ctl("address", MOVING, word)
        line = watch.wait("notification", type="IP_CHANGE")
        assert [(a["address"], a["state"]) for a in line["addresses"]] == [(MOVING, state)]
    watch.stop()


def test_registers_again_when_told_so(cluster, watch_of):
    watch = watch_of(cluster, server=MOVING)
    watch.wait("registered")
    cluster.ctl("address", MOVING, "down")
    watch.changed("unavailable")
    cluster.ctl("address", MOVING, "up")
    watch.changed("available")
    watch.wait("re-registering")
    watch.wait("registered", server=MOVING)
    watch.stop(signal.SIGINT)


def test_keep_alive_ends_nothing(cluster, watch_of):
    watch = watch_of(cluster, "--keep-alive", "1", "--timeout", "4", server=MOVING)
    watch.wait("registered")
    watch.ends(0)
    assert len(watch.seen) == 1 and watch.lines.get(timeout=5) is None


def test_the_next_witness_when_one_dies(cluster, watch_of):
    watch = watch_of(cluster, server=MOVING)
    first = watch.wait("registered")["witness"]
    name = f"n{first[-1]}"
    node = cluster.nodes[name]
    node.process.kill()
    node.process.wait()
    try:
        watch.wait("connection lost", witness=first)
        second = watch.wait("registered")["witness"]
        assert second != first
    finally:
        node.start()
    watch.stop()


def test_waits_until_somebody_serves(tmp_path, watch_of):
    late = Cluster(tmp_path)
    for node in ("n1", "n2", "n3"):
        late.nodes[node].process.terminate()
        late.nodes[node].process.wait(20)
    watch = watch_of(late)
    failed = watch.wait("failed", step="interfaces")
    assert failed["witness"] == SERVER and failed["retry_ms"] > 0
    for node in late.nodes.values():
        node.start()
    watch.wait("registered")
    watch.stop()
    late.stop()


def test_count_not_reached(cluster, watch_of):
    watch = watch_of(cluster, "--count", "1", "--timeout", "2")
    watch.wait("registered")
    watch.ends(1)


def test_wrong_password_is_not_tried_again(cluster, watch_of):
    watch = watch_of(cluster, password="wrong")
    line = watch.wait("failed")
    watch.ends(1)
    assert len(watch.seen) == 1, watch.seen
    assert line["reason"]


def test_text_lines(cluster, watch_of):
    watch = watch_of(cluster, "--count", "1", server=MOVING, json_lines=False)
    assert "registered fs.lab.test 127.0.78.9 with 127.0.78." in watch.lines.get(timeout=20)
    cluster.ctl("address", MOVING, "down")
    assert " RESOURCE_CHANGE 127.0.78.9 unavailable" in watch.lines.get(timeout=20)
    watch.ends(0)
    cluster.ctl("address", MOVING, "up")


@pytest.mark.parametrize("args", [
    [], ["FS"], ["FS", "--server"], ["FS", "--server", SERVER, "--count", "0"],
    ["FS", "--server", SERVER, "--count", "12abc"], ["10.0.0.7", "--server", SERVER],
    ["FS", "--server", SERVER, "--user", "x"], ["FS", "--server", SERVER, "--ntlm"],
    ["FS", "--server", SERVER, "--epm-port", "65536"], ["FS", "GS", "--server", SERVER],
    ["FS", "--server", SERVER, "--nonsense"], ["FS", "--server", "no.such.host.invalid"],
    ["FS", "--server", SERVER, "--user", "x", "--password-file", "/no/such/file"]])
def test_usage(args):
    env = {k: v for k, v in os.environ.items() if k != "WITNESSCTL_PASSWORD"}
    done = subprocess.run([os.path.join(BUILD, "witnessctl"), "watch", *args], text=True, env=env,
                          capture_output=True, timeout=60, check=False)
    assert done.returncode == 2 and done.stderr and not done.stdout


def test_help():
    done = subprocess.run([os.path.join(BUILD, "witnessctl"), "watch", "--help"], text=True,
                          capture_output=True, timeout=20, check=False)
    assert done.returncode == 0 and "--server" in done.stdout and not done.stderr
