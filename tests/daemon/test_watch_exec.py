# SPDX-License-Identifier: GPL-3.0-or-later
"""witnessctl watch --exec: a program for each notification, one after the other."""
import json
import os
import subprocess

import pytest

from conftest import BUILD, wait_for
from test_watch import MOVING, SERVER, Cluster, watch_of  # noqa: F401  # pylint: disable=unused-import

# Appends its WITNESS_ variables as one line of JSON.
SCRIPT = """\
#!/usr/bin/python3
import json, os, sys
with open(sys.argv[1], "a", encoding="utf-8") as f:
    json.dump(dict({k: v for k, v in os.environ.items() if k.startswith("WITNESS")}, args=sys.argv[2:]), f)
    f.write("\\n")
"""


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    nodes = Cluster(tmp_path_factory.mktemp("exec"), {"witness.planned_moves": "yes"})
    yield nodes
    nodes.stop()


class Hook:
    """A program to be run, and what it has written."""

    def __init__(self, folder, text=SCRIPT):
        self.path = str(folder / "hook")
        self.out = str(folder / "out")
        with open(self.path, "w", encoding="utf-8") as f:
            f.write(text)
        os.chmod(self.path, 0o755)

    def lines(self):
        if not os.path.exists(self.out):
            return []
        with open(self.out, encoding="utf-8") as f:
            return f.read().splitlines()

    def runs(self, number):
        """The first so many runs."""
        wait_for(lambda: len(self.lines()) >= number, f"{number} runs", 30)
        return [json.loads(line) for line in self.lines()]


@pytest.fixture
def hook(tmp_path):
    return Hook(tmp_path)


def started(cluster, watch_of, hook, *options, args=(), server=MOVING):  # noqa: F811
    watch = watch_of(cluster, *options, "--exec", hook.path, "--", hook.out, *args, server=server)
    watch.wait("registered")
    return watch


def down_and_up(cluster):
    cluster.ctl("address", MOVING, "down")
    cluster.ctl("address", MOVING, "up")


def said(watch):
    """What it printed for people; it has ended."""
    return watch.process.stderr.read()


def test_fields_are_in_the_environment(cluster, watch_of, hook, monkeypatch):  # noqa: F811
    monkeypatch.setenv("WITNESS_STATE", "stale")
    monkeypatch.setenv("WITNESS_DESTINATIONS", "stale")
    watch = started(cluster, watch_of, hook, "--share", "data", "--count", "2", args=["a b", "--json", "$HOME"])
    cluster.ctl("address", MOVING, "down")
    line = watch.changed("unavailable")
    cluster.ctl("address", MOVING, "up")
    watch.changed("available")
    watch.ends(0)
    first, second = hook.runs(2)
    assert first.pop("args") == ["a b", "--json", "$HOME"]
    told = json.loads(first.pop("WITNESS_JSON"))
    assert (told["changes"], told["server"]) == (line["changes"], MOVING)
    assert first.pop("WITNESS_TIME").startswith("20") and first.pop("WITNESS_WITNESS") == line["witness"]
    assert first == {"WITNESS_EVENT": "notification", "WITNESS_TYPE": "RESOURCE_CHANGE",
                     "WITNESS_NET_NAME": "fs.lab.test", "WITNESS_IP": MOVING, "WITNESS_SHARE": "data",
                     "WITNESS_NAME": MOVING, "WITNESS_STATE": "unavailable"}
    assert second["WITNESS_STATE"] == "available"
    assert said(watch) == ""


def test_destinations_of_a_move(cluster, watch_of, hook):  # noqa: F811
    watch = started(cluster, watch_of, hook, "--count", "1")
    cluster.ctl("intent", MOVING)
    watch.wait("notification", type="CLIENT_MOVE")
    watch.ends(0)
    run, = hook.runs(1)
    assert run["WITNESS_TYPE"] == "CLIENT_MOVE" and "WITNESS_STATE" not in run
    addresses = [a["address"] for a in json.loads(run["WITNESS_JSON"])["addresses"]]
    assert addresses and run["WITNESS_DESTINATIONS"].split() == addresses
    assert run["WITNESS_ADDRESSES"].split() == [a + "=online" for a in addresses]


def test_addresses_that_come_and_go(cluster, watch_of, hook):  # noqa: F811
    watch = started(cluster, watch_of, hook, "--ip-notify", "--count", "2", server=SERVER)
    down_and_up(cluster)
    watch.ends(0)
    runs = hook.runs(2)
    assert [r["WITNESS_ADDRESSES"] for r in runs] == [MOVING + "=offline", MOVING + "=online"]
    assert not any("WITNESS_DESTINATIONS" in r for r in runs)


def test_every_event(cluster, watch_of, hook):  # noqa: F811
    watch = started(cluster, watch_of, hook, "--exec-all")
    run, = hook.runs(1)
    assert (run["WITNESS_EVENT"], run["WITNESS_IP"]) == ("registered", MOVING)
    assert run["WITNESS_GROUP"] in ("n2", "n3") and "WITNESS_TYPE" not in run
    watch.stop()


def test_one_after_the_other_and_the_last_is_waited_for(cluster, watch_of, tmp_path):  # noqa: F811
    slow = Hook(tmp_path, '#!/bin/sh\necho "begin $WITNESS_STATE" >>"$1"\nsleep 0.7\n'
                          'echo "end $WITNESS_STATE" >>"$1"\necho "for people"\n')
    watch = started(cluster, watch_of, slow, "--count", "2")
    cluster.ctl("address", MOVING, "down")
    watch.changed("unavailable")
    cluster.ctl("address", MOVING, "up")
    watch.ends(0)
    assert slow.lines() == ["begin unavailable", "end unavailable", "begin available", "end available"]
    assert said(watch) == "for people\n" * 2  # lines for programs stay by themselves


def runs(pid):
    """A zombie does not."""
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as f:
            return f.read().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def test_a_second_signal_waits_for_nobody(cluster, watch_of, tmp_path):  # noqa: F811
    slow = Hook(tmp_path, '#!/bin/sh\necho $$ >>"$1"\nsleep 77\n')
    watch = started(cluster, watch_of, slow)
    down_and_up(cluster)
    pid = int(wait_for(slow.lines, "a run", 30)[0])
    watch.process.terminate()
    wait_for(lambda: not any(n.json("list") for n in cluster.nodes.values()), "it unregisters")
    assert watch.process.poll() is None and runs(pid)
    watch.process.terminate()
    watch.ends(0)
    # It was killed, and nobody waited for its end: whoever inherits it does, or it stays a zombie.
    wait_for(lambda: not runs(pid), "its program ends")


@pytest.mark.parametrize("text, complaint", [
    ("#!/bin/sh\nexit 3\n", "RESOURCE_CHANGE: exit status 3"),
    ("#!/bin/sh\nkill -9 $$\n", "RESOURCE_CHANGE: ended by signal 9"),
    ("#!/no/such/shell\n", "RESOURCE_CHANGE: it cannot be executed"),
    ("#!/bin/sh\nsleep 77\n", "RESOURCE_CHANGE: ended: it took too long")])
def test_a_failure_is_told_and_no_end(cluster, watch_of, tmp_path, text, complaint):  # noqa: F811
    bad = Hook(tmp_path, text)
    watch = started(cluster, watch_of, bad, "--count", "2", "--exec-timeout", "1")
    cluster.ctl("address", MOVING, "down")
    watch.changed("unavailable")
    cluster.ctl("address", MOVING, "up")
    watch.changed("available")
    watch.ends(0)
    lines = said(watch).splitlines()
    assert len(lines) == 2 and all(f"witnessctl: {bad.path} for {complaint}" in line for line in lines)


def test_path_and_shell(cluster, watch_of, tmp_path):  # noqa: F811
    out = str(tmp_path / "out")
    watch = watch_of(cluster, "--count", "1", "--exec", "sh", "--", "-c",
                     'echo "$WITNESS_NAME $WITNESSCTL_PASSWORD $1" >"$0"', out, "$(id); x", server=MOVING)
    watch.wait("registered")
    down_and_up(cluster)
    watch.ends(0)
    with open(out, encoding="utf-8") as f:
        assert f.read() == f"{MOVING}  $(id); x\n"


@pytest.mark.parametrize("args, word", [
    (["--exec", "no-such-program; id"], "No such file"), (["--exec", "/etc/passwd"], "Permission denied"),
    (["--exec", "/no/such"], "No such file"), (["--exec-all"], "--exec-all needs --exec"),
    (["--exec", "sh", "--exec-timeout", "-1"], "--exec-timeout"), (["surplus"], "one NETNAME")])
def test_usage(args, word):
    done = subprocess.run([os.path.join(BUILD, "witnessctl"), "watch", "FS", "--server", SERVER, *args],
                          text=True, capture_output=True, timeout=60, check=False)
    assert done.returncode == 2 and word in done.stderr and not done.stdout
