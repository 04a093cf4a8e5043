# SPDX-License-Identifier: GPL-3.0-or-later
"""What an administrator does to witnessctl in the middle of long work: Ctrl-C, a terminal or none, options as people
write them."""
import os
import pty
import signal
import subprocess

import pytest

from conftest import BUILD, wait_for
from test_peers import SERVER, cluster  # noqa: F401  pylint: disable=unused-import

CLIENTS = 12


@pytest.fixture
def crowd(cluster):  # noqa: F811
    """Clients of n1's address whose calls do not wait: what they are told is queued, and can be counted."""
    conn = cluster.nodes["n2"].ntlm()
    for i in range(CLIENTS):
        cluster.nodes["n2"].register(conn, net_name="fs", ip=SERVER, client=f"c{i}")
    ctl = cluster.nodes["n3"]
    wait_for(lambda: len(ctl.json("list")) == CLIENTS, "all are listed")
    yield ctl
    conn.close()


def queued(ctl):
    return sum(e["queued"] > 0 for e in ctl.json("list"))


def start(ctl, *words, on_int=signal.SIG_DFL, **kw):
    """With SIGINT as a terminal has it, whatever the tests themselves were started with."""
    return subprocess.Popen([os.path.join(BUILD, "witnessctl"), "--socket", ctl.control, *words],
                            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True,
                            preexec_fn=lambda: signal.signal(signal.SIGINT, on_int), **kw)


def drained(ctl):
    return [n["name"] for n in ctl.json("nodes") if n["drained"]]


@pytest.mark.parametrize("words", [["drain", "n1", "--rate=1"],
                                   ["client-move", "--to-node=n3", "--all", "--rate", "1"]])
def test_ctrl_c_ends_the_order(crowd, words):
    running = start(crowd, *words, stderr=subprocess.PIPE)
    wait_for(lambda: queued(crowd) >= 2, "two have been told")
    running.send_signal(signal.SIGINT)
    out, err = running.communicate(timeout=30)
    assert running.returncode == -signal.SIGINT, (out, err)
    assert "\r" not in err and "interrupted:" in err
    told = queued(crowd)
    assert 2 <= told < CLIENTS
    if words[0] == "drain":
        assert f"{CLIENTS - told} clients were not told to leave; n1 stays drained until" in err
        assert "witnessctl undrain n1" in err and drained(crowd) == ["n1"] and "clients are still on n1" in out
        crowd.ctl("undrain", "n1")
        assert drained(crowd) == []
    else:
        assert f"{CLIENTS - told} of {CLIENTS} clients are not told any more" in err
        assert f"{CLIENTS - told} cancelled" in out
    # The order has ended: who was not told before is not told now, at one client a second.
    done = crowd.json("client-move", "--to-node", "n1", "--all", "--dry-run")
    assert done["total"] == CLIENTS and queued(crowd) == told


def test_drain_says_what_came_of_it(crowd):
    done = crowd.ctl("drain", "N1", "--wait", "1", check=False)
    lines = done.stdout.splitlines()
    assert done.returncode == 1 and lines[0] == f"{CLIENTS} clients are still on n1:" and lines[-1] == f"{CLIENTS} queued"
    assert lines[1].split()[-1] == "RESULT" and all(line.split()[-1] == "queued" for line in lines[2:-1])
    assert len(lines) == CLIENTS + 3 and drained(crowd) == ["n1"]
    assert crowd.json("undrain", "N1") == {"node": "n1"} and drained(crowd) == []
    assert crowd.json("drain", "N1", "--dry-run")["node"] == "n1"


def test_the_daemon_goes_away_while_a_node_is_drained(crowd, cluster):  # noqa: F811
    running = start(crowd, "drain", "n1", stderr=subprocess.PIPE)
    wait_for(lambda: queued(cluster.nodes["n1"]) == CLIENTS, "all have been told")
    crowd.process.send_signal(signal.SIGTERM)
    out, err = running.communicate(timeout=30)
    assert running.returncode in (1, 3) and not out
    assert err.endswith('witnessctl: n1 stays drained until "witnessctl undrain n1"\n'), err
    assert drained(cluster.nodes["n1"]) == ["n1"]


def test_who_ignores_ctrl_c_is_not_ended_by_it(crowd):
    running = start(crowd, "client-move", "--to-node=n3", "--all", "--rate", "4", on_int=signal.SIG_IGN)
    wait_for(lambda: queued(crowd) >= 2, "two have been told")
    running.send_signal(signal.SIGINT)
    out, _ = running.communicate(timeout=30)
    assert running.returncode == 0 and f"{CLIENTS} queued" in out
    assert queued(crowd) == CLIENTS


def test_progress_is_for_terminals(crowd):
    leader, follower = pty.openpty()
    running = start(crowd, "client-move", "--to-node", "n2", "--all", "--rate", "8", stderr=follower)
    os.close(follower)
    seen = b""
    try:
        while True:
            seen += os.read(leader, 4096)
    except OSError:
        pass  # the other end is closed
    out = running.communicate(timeout=30)[0]
    os.close(leader)
    assert running.returncode == 0 and f"{CLIENTS} queued" in out
    assert b" of 12 clients" in seen and seen.rstrip(b" \r\n").endswith(b"12 of 12 clients"), seen
    quiet = crowd.ctl("client-move", "--to-node", "n3", "--all", "--rate", "50")
    assert quiet.stderr == ""


@pytest.mark.parametrize("words, code, why", [
    (["list", "--net-name=fs"], 0, ""),
    (["list", "--net-nam=fs"], 2, "--net-nam=fs is not an option of it (see witnessctl list --help)"),
    (["list", "--local=yes"], 2, "--local does not take a value"),
    (["list", "--node"], 2, "--node needs a value"),
    (["drain", "n1", "--rate", "0"], 2, '--rate must be a whole number from 1 to 100000, not "0"'),
    (["drain", "n1", "--wait=soon"], 2, '--wait must be a whole number of up to 1000000000, not "soon"'),
    (["force-unregister", "*"], 2, 'expected a handle as "witnessctl list --json" shows it, not "*"'),
    (["show", "nonsense"], 2, "expected a handle"),
    (["show"], 2, "usage: witnessctl show HANDLE\n"),
    (["show", "--all"], 2, "witnessctl show: --all is not an option of it"),
    (["nodes", "--nonsense"], 2, "witnessctl nodes: --nonsense is not an option of it"),
    (["status", "-v"], 2, "witnessctl status: -v is not an option of it"),
    (["connections", "x"], 2, 'witnessctl connections: "x" is more than it takes\nusage: witnessctl connections\n'),
    (["log-level", "info", "debug"], 2, 'witnessctl log-level: "debug" is more than it takes\n'),
    (["undrain"], 2, "usage: witnessctl undrain NODE\n"),
    (["undrain", "--dry-run"], 2, "witnessctl undrain: --dry-run is not an option of it"),
    (["undrain", b"\xff"], 2, "is not UTF-8\n"),
    (["drain", b"\xff"], 2, "is not UTF-8\n"),
    (["drain"], 2, "usage: witnessctl drain NODE\n"),
    (["tickle", b"\xff"], 2, "is not UTF-8\n"),
    (["leave"], 2, "usage: witnessctl leave ADDRESS [--wait SECONDS]\n"),
    (["leave", "127.0.77.1", "--wait=61"], 2, 'witnessctl leave: --wait must be 0 to 60 seconds, not "61"\n'),
    (["leave", "--wait", "x", "127.0.77.1"], 2, '--wait must be 0 to 60 seconds, not "x"\n'),
    (["leave", "--wait", "0.5", "10.9.9.9"], 7, "10.9.9.9 is not an address of the cluster\n"),
    (["leave", "10.9.9.9", "--wait=5"], 7, "10.9.9.9 is not an address of the cluster\n"),
    (["nosuch"], 2, "nosuch is not a command (witnessctl help lists them)"),
    (["help", "nosuch"], 2, "nosuch is not a command"),
])
def test_mistakes_are_named(daemon, words, code, why):
    done = daemon.ctl(*words, check=False)
    assert done.returncode == code and why in done.stderr, done


def test_help_wherever_it_is_asked_for(daemon):
    text = daemon.ctl("drain", "--help").stdout
    assert "--rate N" in text and "--wait SECONDS" in text
    assert daemon.ctl("help", "drain").stdout == text
    assert daemon.ctl("drain", "n1", "--rate", "--help").stdout == text
    assert daemon.ctl("help", "watch").stdout == daemon.ctl("watch", "--help").stdout


def test_what_cannot_be_written_is_said(daemon):
    with open("/dev/full", "w", encoding="utf-8") as full:
        done = subprocess.run([os.path.join(BUILD, "witnessctl"), "--socket", daemon.control, "status"], stdout=full,
                              stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, timeout=30, check=False)
    assert done.returncode == 1 and "No space left" in done.stderr
