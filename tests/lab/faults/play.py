# SPDX-License-Identifier: GPL-3.0-or-later
"""The two forms: a short one that has each telling fault once, and a long one of random combinations."""
import os
import random
import sys

from labtest import Tap
from rig import NODES, rig_of
from scene import Scene, show_logs
from table import SHORT, faults_of, named


def casting(chance, faults):
    """A node for each of them, another one each."""
    return list(zip(faults, chance.sample(list(NODES), len(faults))))


def title(cast):
    return ", ".join(f"{fault.name} ({node})" for fault, node in cast)


def play(tap, scene, cast):
    failed = tap.failed
    tap.case(title(cast), scene.round, *cast)
    if tap.failed != failed:
        show_logs()


def short(manager):
    """FAULT=WORDS plays only those that have these words in their names, one at a time."""
    seed = int(os.environ.get("SEED", "0")) or random.SystemRandom().randrange(1, 1 << 31)
    only = os.environ.get("FAULT", "")
    chance = random.Random(seed)
    print(f"# SEED={seed}")
    tap = Tap()
    rounds = [[named(manager, name) for name in names] for names in SHORT[manager]]
    if only:
        rounds = [[fault] for fault in faults_of(manager) if only in fault.name]
    chance.shuffle(rounds)
    with rig_of(manager) as rig:
        scene = Scene(rig, chance, seed)
        tap.case("clients come and go without a trace", scene.quiet)
        for faults in rounds:
            play(tap, scene, casting(chance, faults))
    tap.finish()


def dealt(chance, manager):
    """One to three faults that can be told from each other, and leave the cluster a majority."""
    faults = chance.sample(faults_of(manager), chance.randint(1, len(NODES)))
    if sum(fault.loses for fault in faults) > 1 or sum(fault.at_clients for fault in faults) > 1:
        return dealt(chance, manager)
    return faults


def long(manager, rounds, seed):
    """Each round depends on the seed and its number only."""
    tap = Tap()
    with rig_of(manager) as rig:
        scene = Scene(rig, random.Random(seed), seed)
        tap.case("clients come and go without a trace", scene.quiet)
        for number in rounds:
            scene.chance = chance = random.Random(f"{seed} {number}")
            print(f"# {manager}, round {number}, SEED={seed}")
            play(tap, scene, casting(chance, dealt(chance, manager)))
    tap.finish()


if __name__ == "__main__":
    long(sys.argv[1], range(int(sys.argv[2]), int(sys.argv[3]) + 1), int(sys.argv[4]))
