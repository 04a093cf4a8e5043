# SPDX-License-Identifier: GPL-3.0-or-later
"""The judge of the lab's faults (tests/lab/faults/truth.py), with stories that nobody could mistake; and whom the faults
(table.py) hit."""
import json
import os
import sys
import threading

import conftest
import pytest
import swn

sys.path[:0] = [os.path.join(conftest.TOP, "tests/lab"), os.path.join(conftest.TOP, "tests/lab/faults")]
import table  # noqa: E402  pylint: disable=wrong-import-position
import truth  # noqa: E402  pylint: disable=wrong-import-position

VIP, OTHER, NODES = "10.77.0.101", "10.77.0.102", ("n1", "n2", "n3")
MOVED = {"n1": [(20.0, False)], "n2": [(20.5, True)]}  # VIP, from n1 to n2


class Kernel:
    def __init__(self, changes):
        self.changes = changes

    def history(self, ip):
        return self.changes if ip == VIP else []


def story(changes, *events, node="n3"):
    """n1 has VIP and n2 OTHER at 10; then these changes of VIP, and these events of a client of it."""
    true = truth.Truth.__new__(truth.Truth)
    true.kernels = {n: Kernel(changes.get(n, [])) for n in NODES}
    true.first = {"n1": f" {VIP}/24 ", "n2": f" {OTHER}/24 ", "n3": ""}
    true.began, true.away, true.doubted = 10.0, [], {}
    chorus = truth.Chorus.__new__(truth.Chorus)
    chorus.nodes, chorus.vips, chorus.news = {node: None}, [VIP], threading.Condition()
    said = [{"time": 11.0, "what": "registered"}, *events]
    chorus.lines = [(0, json.dumps({"node": node, "vip": VIP, **event})) for event in said]
    return chorus, true


def told(when, kind, *records):
    return {"time": when, "what": "told", "type": kind, "records": records}


def unavailable(when):
    return told(when, swn.RESOURCE_CHANGE, (swn.UNAVAILABLE, VIP))


def available(when):
    return told(when, swn.RESOURCE_CHANGE, (swn.AVAILABLE, VIP))


ONLINE4 = truth.ONLINE | 1


@pytest.mark.parametrize("changes,event,lie", [
    ({}, unavailable(20.0), "to which nothing has happened"),
    (MOVED, unavailable(20.1), None),
    ({"n1": [(20.0, False)]}, available(30.0), "which nobody has"),
    (MOVED, available(30.0), None),
    (MOVED, told(19.9, swn.CLIENT_MOVE, (ONLINE4, OTHER)), None),
    (MOVED, told(19.9, swn.CLIENT_MOVE, (ONLINE4, "10.77.0.109")), "which is not there"),
    (MOVED, told(19.9, swn.CLIENT_MOVE, (ONLINE4, VIP)), "for that address"),
    (MOVED, told(19.9, swn.RESOURCE_CHANGE, (swn.UNAVAILABLE, OTHER)), f"{OTHER} has changed"),
    (MOVED, told(19.9, swn.IP_CHANGE, (ONLINE4, OTHER)), "of type 4"),
])
def test_lies(changes, event, lie):
    chorus, true = story(changes, event)
    found = list(chorus.lies(true, 10.0))
    assert len(found) == (lie is not None) and all(lie in text for text in found), found


@pytest.mark.parametrize("event", [unavailable(20.2), told(19.0, swn.CLIENT_MOVE, (ONLINE4, OTHER)),
                                   {"time": 20.3, "what": "ended", "code": swn.NOT_FOUND},
                                   {"time": 25.0, "what": "lost", "why": "closed"}])
def test_who_knows_is_informed(event):
    chorus, true = story(MOVED, event)
    assert not list(chorus.uninformed(true, 10.0))


def test_who_does_not_know_is_named():
    for events in ((), (available(20.6),), (unavailable(15.0), {"time": 16.0, "what": "registered"})):
        chorus, true = story(MOVED, *events)
        assert [text for text in chorus.uninformed(true, 10.0) if f"n3's client of {VIP}" in text], events


def test_a_cut_is_a_loss_and_a_doubt_explains():
    chorus, true = story({})
    true.away = [["n1", 20.0, 25.0]]
    assert list(chorus.uninformed(true, 10.0))
    chorus, true = story({}, unavailable(21.0))
    true.doubted = {"n1": 20.0}
    assert not list(chorus.lies(true, 10.0))


def test_what_came_back_while_the_witness_was_away():
    bounce = {"n1": [(20.0, False), (21.0, True)]}
    hung = ({"time": 24.0, "what": "down", "since": 19.0}, {"time": 24.5, "what": "up"})
    chorus, true = story(bounce, *hung)
    assert not list(chorus.uninformed(true, 10.0))
    chorus, true = story(MOVED, *hung)
    assert list(chorus.uninformed(true, 10.0))


PROCESSES = {"": ("witnessd", "the opener"), "ctdb": ("ctdbd", "CTDB's recovery daemon", "CTDB's event daemon"),
             "pacemaker": ("the tickle agent", "corosync", "pacemakerd",
                           *(f"pacemaker-{name}" for name in ("attrd", "based", "controld", "execd", "fenced", "schedulerd")))}


@pytest.mark.parametrize("manager", table.SHORT)
def test_each_process_is_killed_and_hangs(manager):
    names = [fault.name for fault in table.faults_of(manager)]
    assert len(names) == len(set(names))
    assert {f"{process} {ends}" for process in (*PROCESSES[""], *PROCESSES[manager])
            for ends in ("is killed", "hangs")} <= set(names)
    assert {name for names in table.SHORT[manager] for name in names} <= set(names)
