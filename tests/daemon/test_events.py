# SPDX-License-Identifier: GPL-3.0-or-later
"""witnessctl events: what all witnesses of the cluster tell, asked on any of them."""
import json
import os

import pytest

from conftest import BUILD, wait_for
from lines import Program
from test_peers import SERVER, cluster, witness_of  # noqa: F401  pylint: disable=unused-import
from test_watch import watch_of  # noqa: F401  pylint: disable=unused-import


class Follower(Program):
    """witnessctl events --follow: its events, and what it complains of meanwhile."""

    def __init__(self, node, *words):
        self.errors = open(os.path.join(node.dir, f"errors-{id(self)}"), "w+b")  # pylint: disable=consider-using-with
        self.events = []
        super().__init__([os.path.join(BUILD, "witnessctl"), "--socket", node.control, "--json", "events", "--follow",
                          *words], stderr=self.errors)

    def until(self, wanted):
        """The event that is wanted; all that comes before it is kept, too."""
        while not (self.events and wanted(self.events[-1])):
            self.events.append(json.loads(self.take()))
            assert len(self.events) < 1000
        return self.events[-1]

    def complaints(self):
        self.errors.seek(0)
        return self.errors.read().decode()

    def end(self):
        super().end()
        self.errors.close()


@pytest.fixture
def follow():
    followers = []

    def start(node, *words):
        followers.append(Follower(node, *words))
        return followers[-1]

    yield start
    for follower in followers:
        follower.end()


def bystander_of(cluster, *busy):  # noqa: F811
    return next(n for n in cluster.nodes if n not in busy)


def is_notification(event):
    return event["event"] == "notification"


def losses(follower):
    return [e for e in follower.events if e["event"] == "address lost" and e["address"] == SERVER]


def past_losses(node, *words):
    """The lines of those that have been."""
    return [line for line in node.ctl("events", *words).stdout.splitlines() if f"address lost address={SERVER}" in line]


def test_every_node_shows_all(cluster, watch_of, follow):  # noqa: F811
    watch = watch_of(cluster, server=SERVER)
    owner = witness_of(watch.wait("registered"))
    asked = bystander_of(cluster, owner)
    everywhere = follow(cluster.nodes[asked])
    there = follow(cluster.nodes[asked], "--node", owner.upper())
    cluster.ctl("address", SERVER, "down")
    watch.changed("unavailable")
    for follower in (everywhere, there):
        event = follower.until(is_notification)
        assert event["node"] == owner and event["type"] == "RESOURCE_CHANGE" and event["client"] == "tester"
        assert event["address"] == SERVER
    # Each event of the cluster once, as the node that was asked sees it; of the other one as that sees it.
    for follower in (everywhere, there):  # a notification may be here before what our own node sees
        if not losses(follower):
            follower.until(lambda e: e["event"] == "address lost")
    assert [e["node"] for e in losses(everywhere)] == [asked]
    assert {e["node"] for e in there.events} == {owner}
    # What has been is told by every node, in order.
    for node in cluster.nodes.values():
        wait_for(lambda n=node: len(past_losses(n)) == 1, "it knows")
        text = node.ctl("events").stdout.splitlines()
        assert sum("notification" in line and f" {owner} " in line for line in text) == 1
        assert [line[:24] for line in text] == sorted(line[:24] for line in text)
    nobody = cluster.nodes[asked].ctl("events", "--node", "nowhere", check=False)
    assert nobody.returncode == 6 and "no node nowhere" in nobody.stderr
    assert "notification" not in cluster.nodes[asked].ctl("events", "--node", asked).stdout
    assert len(past_losses(cluster.nodes[asked], "--node", "*")) == 3


def test_a_witness_that_goes_is_named(cluster, follow):  # noqa: F811
    follower = follow(cluster.nodes["n1"])
    cluster.ctl("address", SERVER, "down")
    follower.until(lambda e: e["event"] == "address lost")
    cluster.kill("n2")
    wait_for(lambda: "node n2: no witnessd is there" in follower.complaints(), "n2 is missed")
    past = cluster.nodes["n3"].ctl("events")
    assert "address lost" in past.stdout and "node n2: no witnessd is there" in past.stderr
    assert "n2" not in cluster.nodes["n3"].ctl("events", "--node", "n1").stderr
    cluster.nodes["n2"].start()
    wait_for(lambda: "node n2: its events come again" in follower.complaints(), "n2 is back")
    assert "n3" not in follower.complaints()
