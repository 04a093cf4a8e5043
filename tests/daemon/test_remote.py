# SPDX-License-Identifier: GPL-3.0-or-later
"""witnessctl --node: the witness of another node answers, as it would there."""
import json
import os
import signal
import stat
import subprocess
import time

import pytest

import ctlschema
from cluster import Nodes
from conftest import BUILD, wait_for

NET = "127.0.73"
ANYWHERE = ("ping", "status", "interfaces", "nodes", "metrics", "log-level", "memory", "blackbox")
# A node without a witness, and addresses that make every status several times as long as a message.
SILENT = "silent"
MANY = [f"10.7.{i // 200}.{1 + i % 200}" for i in range(500)]


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    folder = tmp_path_factory.mktemp("r")
    nodes = Nodes(folder, NET, {"static.peer_dir": folder, "global.blackbox_dir": folder / "blackbox"})
    try:
        wait_for(lambda: all(sum(p["up"] and p["synced"] for p in d.json("status")["cluster"]["peers"]["peers"]) == 2
                             for d in nodes.nodes.values()), "all are peers")
        yield nodes.nodes
    finally:
        nodes.stop()


def ask(daemon, *words):
    printed = daemon.json(*words)
    faults = ctlschema.faults(words[0], printed)
    assert not faults, faults
    return printed


def refused(daemon, *words):
    done = daemon.ctl(*words, check=False)
    assert not done.stdout and done.stderr.startswith("witnessctl"), done
    return done.returncode, done.stderr


def test_the_other_witness_answers(cluster):
    for name, daemon in cluster.items():
        assert ask(cluster["n1"], "ping", "--node", name)["pid"] == daemon.process.pid
        assert ask(cluster["n3"], "status", f"--node={name.upper()}")["pid"] == daemon.process.pid
        assert f"process {daemon.process.pid}" in cluster["n2"].ctl("ping", "--node", name).stdout
        local = [node["name"] for node in ask(cluster["n1"], "nodes", "--node", name) if node["local"]]
        assert local == [name]


def test_it_is_printed_as_there(cluster):
    one, two = cluster["n1"], cluster["n2"]
    for command in ("interfaces", "nodes", "ping"):
        assert one.ctl(command, "--node", "n2").stdout == two.ctl(command).stdout
        assert one.ctl("--json", command, "--node", "n2").stdout == two.ctl("--json", command).stdout
    for command in ("status", "memory"):
        assert ask(one, command, "--node", "n2").keys() == ask(two, command).keys()
    text = one.ctl("status", "--node", "n2").stdout
    assert f"process {two.process.pid}" in text and "WITNESS OF" in text
    metrics = one.ctl("metrics", "--node", "n2").stdout
    names = [line.split()[0] for line in metrics.splitlines() if line[0] != "#"]
    assert names == [line.split()[0] for line in two.ctl("metrics").stdout.splitlines() if line[0] != "#"]


def test_the_log_level_changes_there(cluster):
    def says(name, text):
        return text in cluster[name].text()

    assert ask(cluster["n1"], "log-level", "info", "--node", "n3") == {"level": "info"}
    wait_for(lambda: says("n3", "Log level is info now"), "n3 logs it")
    assert says("n3", "Node n1 has sent a command of its administrator")
    assert not says("n1", "Log level is info now") and not says("n2", "Log level is info now")
    assert cluster["n1"].ctl("log-level", "debug", "--node", "n3").stdout == ""
    code, why = refused(cluster["n1"], "log-level", "loud", "--node", "n3")
    assert code == 1 and "node n3: expected a level" in why


def test_the_blackbox_is_written_there(cluster):
    written = ask(cluster["n1"], "blackbox", "--node", "N2")
    assert written["node"] == "n2" and stat.S_IMODE(os.stat(written["file"]).st_mode) == 0o600
    wait_for(lambda: f"The last log lines are in {written['file']}" in cluster["n2"].text(), "n2 logs it")
    assert written["file"] not in cluster["n1"].text()
    node, path = cluster["n1"].ctl("blackbox", "--node", "n2").stdout.strip().split(":")
    assert node == "n2" and os.path.exists(path)
    assert "node" not in ask(cluster["n1"], "blackbox")


def test_a_node_that_is_unknown(cluster):
    for command in ANYWHERE:
        words = (command, "debug") if command == "log-level" else (command,)
        code, why = refused(cluster["n1"], *words, "--node", "n9\n")
        assert code == 6 and why == "witnessctl: the cluster has no node n9\\x0a\n", (command, why)


def test_a_pattern_is_a_name(cluster):
    assert refused(cluster["n1"], "status", "--node", "*")[0] == 6


def test_what_is_for_no_other_node(cluster):
    for words in (("connections",), ("undrain", "n1"), ("tickle", f"{NET}.1"), ("show", "1")):
        code, why = refused(cluster["n1"], *words, "--node", "n2")
        assert code == 2 and "--node is not an option of it" in why
    done = cluster["n1"].ctl("status", "--node", check=False)
    assert done.returncode == 2 and "--node needs a value" in done.stderr
    assert cluster["n1"].ctl("status", "n2", check=False).returncode == 2


@pytest.fixture
def larger(cluster):
    """The cluster for the time of a test: the silent node has many addresses."""
    path = next(a.split("=", 1)[1] for a in cluster["n1"].argv if a.startswith("static.map="))
    with open(path, encoding="utf-8") as f:
        before = f.read()

    def put(text, num):
        with open(path + ".new", "w", encoding="utf-8") as f:
            f.write(text)
        os.rename(path + ".new", path)
        wait_for(lambda: all(len(d.json("nodes")) == num for d in cluster.values()), f"{num} nodes are known")

    try:
        put(before + f"[node {SILENT}]\nid = 9\nonline = no\n" + "".join(
            f"[address {ip}]\nnode = {SILENT}\ngroup = {ip}-{'x' * 60}\n" for ip in MANY), 4)
        yield cluster
    finally:
        put(before, 3)


def test_a_long_answer_comes_in_parts(larger):
    cluster = larger
    for name in ("n2", "n3"):
        there = ask(cluster["n1"], "status", "--node", name)
        assert len(json.dumps(there)) > 64 * 1024
        assert {a["address"] for a in there["cluster"]["addresses"]} >= set(MANY)
        assert [n["name"] for n in there["cluster"]["nodes"] if n["local"]] == [name]
    # Many at once do not get in each other's way.
    asked = [(name, subprocess.Popen([os.path.join(BUILD, "witnessctl"), "--socket", cluster[by].control, "--timeout",
                                      "25", "--json", "status", "--node", name], stdout=subprocess.PIPE))
             for by in cluster for name in cluster]
    for name, process in asked:
        out = process.communicate(timeout=30)[0]
        assert process.returncode == 0 and json.loads(out)["pid"] == cluster[name].process.pid
    code, why = refused(cluster["n1"], "status", "--node", SILENT.upper())
    assert code == 1 and f"node {SILENT} has no witness that can be reached" in why


def test_a_witness_that_is_stopped(cluster):
    """Nobody waits for it but who asked, and not for ever."""
    one, two = cluster["n1"], cluster["n2"]
    two.process.send_signal(signal.SIGSTOP)
    try:
        waiting = subprocess.Popen([os.path.join(BUILD, "witnessctl"), "--socket", one.control, "--timeout", "25",
                                    "status", "--node", "n2"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        gone = subprocess.Popen([os.path.join(BUILD, "witnessctl"), "--socket", one.control, "status", "--node", "n2"], stdout=subprocess.DEVNULL,
                                stderr=subprocess.DEVNULL)
        try:
            assert ask(one, "ping")["pid"] == one.process.pid
            gone.kill()  # its answer is nobody's any more
            out, err = waiting.communicate(timeout=30)
        finally:
            gone.kill()
            gone.wait()
            waiting.kill()
        assert waiting.returncode == 1 and not out
        assert "node n2 has not answered within" in err or "node n2 has no witness that can be reached" in err, err
        assert ask(one, "ping", "--node", "n3")["pid"] == cluster["n3"].process.pid
    finally:
        two.process.send_signal(signal.SIGCONT)
    wait_for(lambda: one.ctl("ping", "--node", "n2", check=False).returncode == 0, "n2 answers again")


def test_a_witness_that_is_killed_meanwhile(cluster):
    one, two = cluster["n1"], cluster["n2"]
    two.process.send_signal(signal.SIGSTOP)
    waiting = subprocess.Popen([os.path.join(BUILD, "witnessctl"), "--socket", one.control, "--timeout", "25",
                                "metrics", "--node", "n2"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        time.sleep(0.3)  # that it has been asked by then makes the test, not its result
        two.process.kill()
        two.process.wait()
        out, err = waiting.communicate(timeout=30)
    finally:
        waiting.kill()
        two.start()
    assert waiting.returncode == 1 and not out and "node n2 has " in err, err
    wait_for(lambda: one.ctl("ping", "--node", "n2", check=False).returncode == 0, "n2 answers again")
    assert ask(one, "ping", "--node", "n2")["pid"] == two.process.pid


def test_without_peers(start_daemon):
    """A witness alone knows who it is, and that the others cannot be asked."""
    daemon = start_daemon()
    assert ask(daemon, "status", "--node", "N1")["pid"] == daemon.process.pid
    code, why = refused(daemon, "status", "--node", "n2")
    assert code == 1 and "node n2 has no witness that can be reached" in why
