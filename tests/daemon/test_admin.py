# SPDX-License-Identifier: GPL-3.0-or-later
"""witnessctl's commands for administrators, from a node that does not have the registration."""
import json
import os
import pty
import re
import struct
import subprocess
import termios
import fcntl

import pytest

import ctlschema
from conftest import BUILD, NODES, wait_for
from test_peers import SERVER, cluster, witness_of  # noqa: F401  pylint: disable=unused-import
from test_watch import watch_of  # noqa: F401  pylint: disable=unused-import


def described(command, printed):
    """What a command has printed is what the schema says."""
    assert not ctlschema.faults(command, printed)
    return printed


def other(owner):
    """A node that does not have the registration, and is not where the client is."""
    return {"n2": "n3", "n3": "n2"}[owner]


@pytest.fixture
def client(cluster, watch_of):  # noqa: F811
    """A client of n1's address, what it is registered with, and a daemon of neither."""
    watch = watch_of(cluster, "--share", "data", "--ip-notify", server=SERVER)
    owner = witness_of(watch.wait("registered"))
    cluster.agree((owner, "tester", "requested notification"))
    return watch, owner, cluster.nodes[other(owner)]


def moved_to(line):
    return [a["address"] for a in line["addresses"]]


def test_list_and_show(cluster, client):  # noqa: F811
    _, owner, ctl = client
    entry = described("list", ctl.json("list"))[0]
    assert entry["witness"] == owner and entry["node"] == "n1" and entry["client"] == "tester"
    for words in (["--registration", entry["handle"]], ["--net-name", "FS.*"], ["--share-name", "DAT?"],
                  ["--ip-address", SERVER], ["--ip-address", "127.0.79.[0-9]"], ["--node", "n1"], ["--node", "n[1]"],
                  ["--client-computer-name", "TEST*"], ["--witness", owner], ["--all"],
                  ["--node", "n1", "--share-name", "data"]):
        assert [e["handle"] for e in ctl.json("list", *words)] == [entry["handle"]], words
    for words in (["--net-name", "x*"], ["--share-name", "other"], ["--node", "n2"], ["--ip-address", "127.0.79.2"],
                  ["--witness", other(owner)], ["--registration", "0*", "--registration", "no"], ["--local"]):
        assert ctl.json("list", *words) == [], words
        assert ctl.ctl("list", *words).stdout == "No registration matches.\n"
    described("show", ctl.json("show", entry["handle"]))
    text = ctl.ctl("show", entry["handle"]).stdout
    assert re.search(r"File server node +n1\n", text) and re.search(fr"Witness node +{owner}\n", text)


def test_the_table_fits_a_terminal(cluster, client):  # noqa: F811
    ctl = client[2]
    leader, follower = pty.openpty()
    fcntl.ioctl(follower, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    done = subprocess.run([os.path.join(BUILD, "witnessctl"), "--socket", ctl.control, "list"], stdout=follower,
                          stdin=subprocess.DEVNULL, timeout=30, check=True)
    os.close(follower)
    text = os.read(leader, 65536).decode().splitlines()
    os.close(leader)
    assert done.returncode == 0 and len(text) == 2
    assert all(len(line.rstrip()) <= 80 for line in text), text
    assert text[0].split()[:3] == ["CLIENT", "NODE", "ADDRESS"]


def test_client_move_to_a_node_and_to_an_address(cluster, client):  # noqa: F811
    watch, _, ctl = client
    plan = ctl.json("client-move", "--to-node", "n3", "--all", "--dry-run")
    described("client-move", plan)
    assert plan["dry_run"] and plan["job"] is None and plan["results"] == {"told": 1}
    assert plan["clients"][0]["to"] == "n3" and ctl.json("list")[0]["notifications"] == 0
    done = ctl.json("client-move", "--to-node", "N3", "--client-computer-name", "t*")
    described("client-move", done)
    assert done["done"] and not done["dry_run"] and done["results"] == {"told": 1}
    line = watch.wait("notification")
    assert line["type"] == "CLIENT_MOVE" and moved_to(line) == ["127.0.79.3"]
    wait_for(lambda: [e["node"] for e in ctl.json("list")] == ["n3"], "the client is on n3")
    there = ctl.ctl("client-move", "--to-node", "n3", "--all")
    assert "already there" in there.stdout
    there = ctl.ctl("client-move", "--to-ip", "127.0.79.3", "--all")
    assert "already there" in there.stdout
    wait_for(lambda: ctl.json("list")[0]["state"] == "requested notification", "it waits")
    assert ctl.json("client-move", "--to-ip", "127.0.79.2", "--all")["results"] == {"told": 1}
    line = watch.wait("notification")
    assert line["type"] == "CLIENT_MOVE" and moved_to(line) == ["127.0.79.2"]
    wait_for(lambda: [e["node"] for e in ctl.json("list")] == ["n2"], "the client is on n2")


def test_share_move_and_notify(cluster, client):  # noqa: F811
    watch, _, ctl = client
    assert ctl.json("notify", "share-move", "--to-node", "n2", "--all")["results"] == {"told": 1}
    line = watch.wait("notification")
    assert line["type"] == "SHARE_MOVE" and moved_to(line) == ["127.0.79.2"]
    wait_for(lambda: [(e["node"], e["state"]) for e in ctl.json("list")] == [("n2", "requested notification")],
             "the client is on n2")
    assert ctl.json("notify", "ip-change", "--address", SERVER, "--state", "unavailable", "--all")["results"] == {
        "told": 1}
    line = watch.wait("notification")
    assert line["type"] == "IP_CHANGE" and line["addresses"][0]["address"] == SERVER
    assert line["addresses"][0]["state"] == "offline"
    wait_for(lambda: ctl.json("list")[0]["state"] == "requested notification", "it waits")
    known = ctl.ctl("notify", "change", "--state", "available", "--all")
    assert "already known" in known.stdout
    assert ctl.json("notify", "change", "--state", "unavailable", "--all")["results"] == {"told": 1}
    watch.changed("unavailable")


def test_share_move_is_for_clients_of_shares(cluster, watch_of):  # noqa: F811
    watch = watch_of(cluster, server=SERVER)
    owner = witness_of(watch.wait("registered"))
    cluster.agree((owner, "tester", "requested notification"))
    ctl = cluster.nodes[other(owner)]
    for words in (["share-move", "--to-node", "n3"], ["notify", "ip-change", "--address", SERVER, "--state",
                                                      "available"]):
        done = ctl.ctl(*words, "--all", check=False)
        assert done.returncode == 1 and "not registered for that" in done.stdout, done


def test_force_response_and_unregister(cluster, client):  # noqa: F811
    watch, _, ctl = client
    reply = {"result": 0, "response": {"type": 2, "messages": [{"flags": 9, "ipv4": "127.0.79.3"}]}}
    assert ctl.json("force-response", json.dumps(reply), "--all", "--dry-run")["results"] == {"told": 1}
    assert ctl.json("force-response", json.dumps(reply), "--all")["results"] == {"told": 1}
    line = watch.wait("notification")
    assert line["type"] == "CLIENT_MOVE" and moved_to(line) == ["127.0.79.3"]
    wait_for(lambda: ctl.json("list")[0]["state"] == "requested notification", "it waits again")
    handle = ctl.json("list")[0]["handle"]
    assert ctl.json("force-unregister", "--share-name", "d*", "--dry-run")["results"] == {"told": 1}
    assert ctl.json("list")[0]["handle"] == handle
    assert ctl.json("force-unregister", "--share-name", "d*")["results"] == {"told": 1}
    watch.wait("re-registering")
    watch.wait("registered")
    wait_for(lambda: [e["handle"] for e in ctl.json("list")] not in ([], [handle]), "it has another handle")


@pytest.mark.parametrize("code, why, words", [
    (5, "no registration matches", ["client-move", "--to-node", "n2", "--share-name", "nosuch"]),
    (5, "no registration matches", ["rebalance", "--net-name", "nosuch"]),
    (5, "no registration has the handle", ["show", "00000000-0000-0000-0000-000000000000"]),
    (6, "no node nowhere", ["client-move", "--to-node", "nowhere", "--all"]),
    (6, "no node nowhere", ["list", "--node", "nowhere"]),
    (7, "127.0.79.77 is not an address", ["client-move", "--to-ip", "127.0.79.77", "--all"]),
    (7, "10.1.1.1 is not an address", ["list", "--ip-address", "10.1.1.1"]),
    (6, "the cluster has no node", ["undrain", ""]),
    (6, "the map has no node n9", ["static", "node", "n9", "online"]),
    (7, "the map has no address 127.0.79.77", ["static", "address", "127.0.79.77", "up"]),
    (7, "127.0.79.77 is not an address", ["leave", "127.0.79.77"]),
    (1, "this node does not have the address: n1 has it", ["leave", SERVER]),
    (7, "127.0.79.77 is not an address", ["tickle", "127.0.79.77"]),
    (1, "does not track connections", ["tickle", SERVER]),
    (8, "not JSON", ["force-response", "{", "--all"]),
    (8, "expected", ["force-response", '{"response": 1}', "--all"]),
    (8, "expected", ["force-response", '{"response": {"type": 2, "messages": [{"ip": "x"}]}}', "--all"]),
    (1, "expected an IPv4 or IPv6 address", ["client-move", "--to-ip", "x", "--all"]),
    (2, "--rate must be a whole number", ["client-move", "--to-node", "n2", "--all", "--rate", "0"]),
    (1, "expected a pattern", ["list", "--net-name", "*" * 9]),
    (2, "--rate must be a whole number", ["client-move", "--to-node", "n2", "--all", "--rate", "x"]),
    (2, "which registrations are meant", ["client-move", "--to-node", "n2"]),
    (2, "either --to-node or --to-ip", ["client-move", "--all"]),
    (2, "needs a value", ["client-move", "--all", "--to-node"]),
    (2, "is not an option of it", ["list", "--nonsense"]),
    (2, "--state", ["notify", "change", "--all"]),
    (2, "usage: witnessctl notify", ["notify", "what"]),
])
def test_bad_input(cluster, client, code, why, words):  # noqa: F811
    done = client[2].ctl(*words, check=False)
    assert done.returncode == code and why in done.stderr and not done.stdout, done
    assert client[2].json("list")[0]["notifications"] == 0


def clients_at(ctl):
    return {n["name"]: n["clients"] for n in ctl.json("nodes")}


def test_drain_and_rebalance(cluster, watch_of):  # noqa: F811
    ctl = cluster.nodes["n1"]
    watches = [watch_of(cluster, "--client-name", f"c{i}", server=SERVER) for i in range(9)]
    for watch in watches:
        watch.wait("registered")
    wait_for(lambda: sum(e["state"] == "requested notification" for e in ctl.json("list")) == 9, "all wait")
    described("nodes", ctl.json("nodes"))
    assert clients_at(ctl) == {"n1": 9, "n2": 0, "n3": 0}
    plan = ctl.json("drain", "n1", "--dry-run")
    assert plan["total"] == 9 and sorted(c["to"] for c in plan["clients"]) == ["n2"] * 5 + ["n3"] * 4
    assert clients_at(ctl)["n1"] == 9 and not any(n["drained"] for n in ctl.json("nodes"))
    done = ctl.json("drain", "n1", "--rate", "20", "--wait", "60")
    described("drain", done)
    assert done["left"] == [] and done["total"] == 9 and done["results"] == {"told": 9}
    for watch in watches:
        line = watch.wait("notification")
        assert line["type"] == "CLIENT_MOVE" and moved_to(line) in (["127.0.79.2"], ["127.0.79.3"])
    wait_for(lambda: sum(clients_at(ctl).values()) == 9, "none is lost")
    assert sorted(clients_at(ctl).values()) == [0, 4, 5] and clients_at(ctl)["n1"] == 0
    wait_for(lambda: all([n["name"] for n in d.json("nodes") if n["drained"]] == ["n1"]
                         for d in cluster.nodes.values()), "all know that n1 is drained")
    assert "nothing to do" in ctl.ctl("rebalance").stdout
    assert ctl.ctl("drain", "n1").stdout == "n1 has no clients any more; 0 were sent to other nodes\n"
    cluster.nodes["n2"].ctl("undrain", "n1")
    wait_for(lambda: not any(n["drained"] for n in ctl.json("nodes")), "n1 is not drained any more")
    wait_for(lambda: sum(e["state"] == "requested notification" for e in ctl.json("list")) == 9, "all wait")
    plan = ctl.json("rebalance", "--dry-run")
    assert plan["total"] == 3 and {c["to"] for c in plan["clients"]} == {"n1"}
    assert ctl.json("rebalance")["results"] == {"told": 3}
    wait_for(lambda: clients_at(ctl) == {"n1": 3, "n2": 3, "n3": 3}, f"even, not {clients_at(ctl)}")
    for words in (["drain", "nowhere"], ["undrain", "nowhere"]):
        assert ctl.ctl(*words, check=False).returncode == 6
    assert "DRAINED" in ctl.ctl("nodes").stdout


def test_hundreds_go_in_portions(cluster):  # noqa: F811
    ctl = cluster.nodes["n3"]
    conns = [cluster.nodes["n2"].ntlm() for _ in range(3)]
    try:
        for i in range(250):
            cluster.nodes["n2"].register(conns[i % 3], net_name="fs", ip=SERVER, client=f"c{i}")
        wait_for(lambda: len(ctl.json("list")) == 250, "all are listed")
        assert ctl.json("client-move", "--to-node", "n3", "--all")["results"] == {"queued": 250}
        plan = ctl.json("rebalance", "--dry-run")
        assert [sum(c["to"] == n for c in plan["clients"]) for n in ("n1", "n2", "n3")] == [0, 83, 83]
        done = ctl.json("force-unregister", "--client-computer-name", "c[0-9]*")
        assert done["results"] == {"told": 250} and len({c["handle"] for c in done["clients"]}) == 250
        wait_for(lambda: not ctl.json("list"), "none is left")
        assert ctl.ctl("list").stdout == ctl.ctl("list", "--all").stdout == "No clients are registered.\n"
        assert ctl.ctl("rebalance").stdout == "There is nothing to do.\n"
    finally:
        for conn in conns:
            conn.close()


def test_drain_says_who_cannot_go(cluster, watch_of):  # noqa: F811
    watch = watch_of(cluster, server="127.0.79.3")
    watch.wait("registered")
    cluster.ctl("address", "127.0.79.1", "down")
    cluster.ctl("address", "127.0.79.9", "down")
    cluster.ctl("address", "127.0.79.2", "down")
    ctl = cluster.nodes["n2"]
    wait_for(lambda: clients_at(ctl)["n3"] >= 1, "it is listed")
    wait_for(lambda: [n["addresses"] for n in ctl.json("nodes")] == [0, 0, 1], "only one address is left")
    # Its registration may be there twice: it has lost the address that it came by, and has come by another one.
    plan = described("drain", json.loads(ctl.ctl("--json", "drain", "n3", "--dry-run", check=False).stdout))
    assert {(c["to"], c["result"]) for c in plan["clients"]} == {(None, "not served there")}
    done = ctl.ctl("drain", "n3", check=False)
    assert done.returncode == 1 and "clients are still on n3:" in done.stdout
    assert re.search(r"^CLIENT .* RESULT$", done.stdout, re.M) and done.stdout.rstrip().endswith(" not served there")
    assert re.search("^tester .* not served there$", done.stdout, re.M)
    printed = described("drain", json.loads(ctl.ctl("--json", "drain", "n3", check=False).stdout))
    assert printed["left"] and {c["to"] for c in printed["clients"]} == {None}
    assert printed["results"] == {"not served there": printed["total"]}


def test_events(cluster, client):  # noqa: F811
    watch, owner, ctl = client
    follower = subprocess.Popen([os.path.join(BUILD, "witnessctl"), "--socket", cluster.nodes[owner].control, "--json",
                                 "events", "--follow"], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
    try:
        cluster.ctl("address", SERVER, "down")
        watch.changed("unavailable")
        seen = []
        while not seen or seen[-1]["event"] != "notification":
            seen.append(json.loads(follower.stdout.readline()))
            assert len(seen) < 100, seen
        assert seen[-1]["type"] == "RESOURCE_CHANGE" and seen[-1]["client"] == "tester"
        assert seen[-1]["address"] == SERVER
        assert any(e["event"] == "address lost" and e["address"] == SERVER for e in seen)
        assert [e["number"] for e in seen] == list(range(1, len(seen) + 1))
    finally:
        follower.kill()
        follower.wait()
        follower.stdout.close()
    text = ctl.ctl("events").stdout
    assert f"address lost address={SERVER}" in text and f"{owner} notification client=tester" in text


METRIC = re.compile(r'^([a-z_]+)(\{[a-z]+="([^"\\]|\\.)*"\})? (-?[0-9.e+-]+|\+Inf)$')


def test_metrics_and_status(cluster, client):  # noqa: F811
    watch, owner, _ = client
    cluster.ctl("address", SERVER, "down")
    watch.changed("unavailable")
    node = cluster.nodes[owner]
    text = node.ctl("metrics").stdout
    typed, values = set(), {}
    for line in text.splitlines():
        if line.startswith("# TYPE "):
            assert line.split()[2] not in typed
            typed.add(line.split()[2])
        elif not line.startswith("#"):
            assert METRIC.match(line), line
            name = line.split("{")[0].split()[0]
            assert name in typed or re.sub("_(bucket|sum|count)$", "", name) in typed, line
            values[line.rsplit(" ", 1)[0]] = float(line.rsplit(" ", 1)[1])
    # An IP_CHANGE follows, and it may have registered again already, and have been told again.
    told = sum(n for name, n in values.items() if name.startswith("witnessd_notifications_total{"))
    assert values['witnessd_notifications_total{type="RESOURCE_CHANGE"}'] >= 1
    assert values["witnessd_notification_latency_seconds_count"] == told
    assert values['witnessd_notification_latency_seconds_bucket{le="+Inf"}'] == told
    assert values[f'witnessd_address_available{{address="{SERVER}"}}'] == 0
    assert values['witnessd_node_online{node="n2"}'] == 1 and values["witnessd_cluster_quorate"] == 1
    text = node.ctl("status").stdout
    assert "from event to reply: median" in text and "registrations (of " in text


def test_no_daemon():
    done = subprocess.run([os.path.join(BUILD, "witnessctl"), "--socket", "witnessd-not-there", "list"],
                          capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 3 and "no witnessd is running" in done.stderr


def test_a_single_witness_without_peers(start_daemon):
    daemon = start_daemon(cluster_map=NODES + "[address 127.0.77.1]\nnode = n1\ngroup = fs1\n"
                          "[address 127.0.77.2]\nnode = n2\ngroup = fs2\n")
    with daemon.ntlm() as conn:
        daemon.register(conn, net_name="fs", ip="127.0.77.1", client="raw")
        done = daemon.json("client-move", "--to-node", "n2", "--all")
        assert done["results"] == {"queued": 1} and done["clients"][0]["client"] == "raw"
