# SPDX-License-Identifier: GPL-3.0-or-later
"""Three witnessd's that are peers: one list, commands that find their way, and restarts that clients survive."""
import signal
import time

import pytest

from cluster import Nodes
from conftest import wait_for
from test_watch import watch_of  # noqa: F401  pylint: disable=unused-import

SERVER, MOVING = "127.0.79.1", "127.0.79.9"


class Cluster(Nodes):
    """With sockets for each other."""

    def __init__(self, tmp_path):
        super().__init__(tmp_path, "127.0.79", {"static.peer_dir": str(tmp_path), "peers.handover_timeout": "8"})
        try:
            wait_for(self.complete, "all are peers")
        except AssertionError:
            self.stop()
            raise

    def complete(self):
        return all(sum(p["up"] and p["synced"] for p in self.peers(n)) == 2 for n in self.nodes)

    def peers(self, node):
        return self.nodes[node].json("status")["cluster"]["peers"]["peers"]

    def lists(self):
        """What each node lists, as sorted (witness, client, state)."""
        return [sorted((r["witness"], r["client"], r["state"]) for r in node.json("list"))
                for node in self.nodes.values()]

    def agree(self, *expected):
        wait_for(lambda: all(entries == sorted(expected) for entries in self.lists()),
                 f"all list {expected}, not {self.lists()}")

    def kill(self, name):
        node = self.nodes[name]
        node.process.send_signal(signal.SIGKILL)
        node.process.wait()

    def ctl(self, *words):
        self.nodes["n1"].ctl("static", *words)


@pytest.fixture
def cluster(tmp_path):
    nodes = Cluster(tmp_path)
    yield nodes
    nodes.stop()


def witness_of(line):
    return "n" + line["witness"].rsplit(".", 1)[1]


def test_every_node_lists_all_clients(cluster, watch_of):  # noqa: F811
    one = watch_of(cluster, "--client-name", "one", "--share", "data", server=SERVER)
    first = witness_of(one.wait("registered"))
    two = watch_of(cluster, "--client-name", "two", server="127.0.79.2")
    second = witness_of(two.wait("registered"))
    waits = "requested notification"
    cluster.agree((first, "one", waits), (second, "two", waits))
    entry = [r for r in cluster.nodes["n1"].json("list") if r["client"] == "one"][0]
    assert entry["share"] == "data" and entry["ip"] == SERVER
    assert entry["client_address"].startswith("127.")
    local = {n: [r["client"] for r in d.json("list", "--local")] for n, d in cluster.nodes.items()}
    assert "one" in local[first] and "two" in local[second] and sum(map(len, local.values())) == 2
    assert "WITNESS" in cluster.nodes["n1"].ctl("list").stdout
    one.stop()
    cluster.agree((second, "two", waits))
    two.stop()
    cluster.agree()


def test_a_registration_is_ended_from_any_node(cluster, watch_of):  # noqa: F811
    watch = watch_of(cluster, server=SERVER)
    owner = witness_of(watch.wait("registered"))
    cluster.agree((owner, "tester", "requested notification"))
    handle = cluster.nodes["n1"].json("list")[0]["handle"]
    for node in ("n1", owner):
        done = cluster.nodes[node].json("force-unregister", handle)
        assert done["results"] == {"told": 1} and done["clients"][0]["witness"] == owner
        watch.wait("re-registering")
        owner = witness_of(watch.wait("registered"))
        cluster.agree((owner, "tester", "requested notification"))
        gone = cluster.nodes["n1"].ctl("force-unregister", handle, check=False)
        assert gone.returncode == 5 and "no registration matches" in gone.stderr
        handle = cluster.nodes["n1"].json("list")[0]["handle"]
    bad = cluster.nodes["n1"].ctl("force-unregister", "1234", check=False)
    assert bad.returncode == 2 and "expected a handle" in bad.stderr
    watch.stop()


def test_status_shows_peers(cluster):
    status = cluster.nodes["n1"].json("status")["cluster"]["peers"]
    assert status["local"] == "n1" and status["joined"] and not status["handover_pending"]
    assert {p["node"] for p in status["peers"]} == {"n2", "n3"}
    text = cluster.nodes["n1"].ctl("status").stdout
    assert "WITNESS OF" in text and "Peers       joined" in text
    cluster.kill("n2")
    wait_for(lambda: [p["up"] for p in cluster.peers("n1") if p["node"] == "n2"] == [False],
             "n2 is missed")
    cluster.nodes["n2"].start()
    wait_for(cluster.complete, "n2 is back")


def start_resuming(cluster, watch_of, server=SERVER):  # noqa: F811
    watch = watch_of(cluster, "--resume", server=server)
    owner = witness_of(watch.wait("registered"))
    cluster.agree((owner, "tester", "requested notification"))
    handle = cluster.nodes["n1"].json("list")[0]["handle"]
    return watch, owner, handle


def went_on(cluster, watch, owner, handle):
    cluster.agree((owner, "tester", "requested notification"))
    entry = cluster.nodes["n1"].json("list")[0]
    assert entry["handle"] == handle
    assert not any('"re-registering"' in line for line in watch.seen)


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_a_client_goes_on_after_a_restart(cluster, watch_of, how):  # noqa: F811
    watch, owner, handle = start_resuming(cluster, watch_of)
    node = cluster.nodes[owner]
    before = node.json("list")[0]
    node.process.send_signal(how)
    node.process.wait()
    wait_for(lambda: cluster.nodes["n1"].json("list")[0]["state"] == "witness gone", "it is an orphan")
    node.start()
    watch.wait("resumed")
    went_on(cluster, watch, owner, handle)
    after = node.json("list", "--local")[0]
    assert after["registered_since"] == before["registered_since"]
    assert node.json("status")["witness"]["claimed_total"] == 1
    # Nothing was missed, and what happens now is told as ever.
    cluster.ctl("address", SERVER, "down")
    watch.changed("unavailable")
    assert sum('"notification"' in line for line in watch.seen) == 1


def test_what_was_missed_is_told(cluster, watch_of):  # noqa: F811
    watch, owner, handle = start_resuming(cluster, watch_of, server=MOVING)
    cluster.kill(owner)
    cluster.ctl("address", MOVING, "down")
    cluster.nodes[owner].start()
    watch.wait("resumed")
    watch.changed("unavailable")
    assert cluster.nodes["n1"].json("list")[0]["handle"] == handle


def test_a_move_that_was_missed_is_told(cluster, watch_of):  # noqa: F811
    watch, owner, _ = start_resuming(cluster, watch_of, server=MOVING)
    cluster.kill(owner)
    cluster.ctl("address", MOVING, "move", "n2" if owner == "n3" else "n3")
    cluster.nodes[owner].start()
    watch.wait("resumed")
    line = watch.wait("notification", type="RESOURCE_CHANGE")
    assert [change["state"] for change in line["changes"]] == ["unavailable", "available"]


def test_who_does_not_come_back_is_forgotten(cluster, watch_of):  # noqa: F811
    watch, owner, _ = start_resuming(cluster, watch_of)
    watch.process.kill()
    watch.process.wait()
    cluster.agree()
    watch, owner, _ = start_resuming(cluster, watch_of)
    watch.process.send_signal(signal.SIGSTOP)
    cluster.kill(owner)
    cluster.nodes[owner].start()
    cluster.agree((owner, "tester", "handed back"))
    began = time.monotonic()
    cluster.agree()
    assert 3 < time.monotonic() - began < 12
    assert cluster.nodes[owner].json("status")["witness"]["ended"]["unclaimed"] == 1
    watch.process.send_signal(signal.SIGCONT)


def test_orphans_are_forgotten(cluster, watch_of):  # noqa: F811
    watch, owner, _ = start_resuming(cluster, watch_of)
    watch.process.kill()
    cluster.kill(owner)
    others = [d for n, d in cluster.nodes.items() if n != owner]
    wait_for(lambda: all([r["state"] for r in d.json("list")] == ["witness gone"] for d in others),
             "the record is kept")
    wait_for(lambda: all(d.json("list") == [] for d in others), "the record goes", 15)
    cluster.nodes[owner].start()
