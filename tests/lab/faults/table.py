# SPDX-License-Identifier: GPL-3.0-or-later
"""The faults: how each is injected into a node, how it is healed, and what it excuses."""
import os
import re
import struct
from dataclasses import dataclass

from labtest import Lines, check, heal_corosync, lab, must, run, wait_for
from rig import DIR, HERE, KNOBS, NODES, PORT, VIPS, processes
from truth import Chorus

HOUR = 3600
# Pacemaker's daemons, and whether addresses cannot be moved without them.
DAEMONS = {"based": True, "controld": True, "execd": True, "schedulerd": True, "attrd": False, "fenced": False}


@dataclass
class Fault:
    """inject(scene, node) returns what heals it, or None."""
    name: str
    inject: object
    manager: str = ""          # the only lab that has it
    silent: bool = False       # the witness need not serve before it is healed
    restarts: bool = False     # the witness may be another process afterwards
    fixed: bool = False        # an address cannot be moved meanwhile
    hold_s: float = 3
    lasting: bool = False      # healed only when everybody has got over it
    loses: bool = False        # the cluster loses the node
    at_clients: bool = False   # hits all clients, whichever the node
    voted: bool = False        # CTDB alone takes 30 s to notice it; the witnesses do sooner, by a majority


def signal(node, name, *pids):
    run(node, "kill", "-s", name, *map(str, pids))


def killed(program):
    def inject(_, node):
        pids = processes(node, program)
        check(pids, f"{program} does not run on {node}")
        signal(node, "KILL", *pids)
    return inject


def stopped(program):
    def inject(_, node):
        pids = processes(node, program)
        check(pids, f"{program} does not run on {node}")
        signal(node, "STOP", *pids)
        return lambda: signal(node, "CONT", *pids)
    return inject


def corosync_killed(scene, node):
    killed("corosync")(scene, node)
    scene.truth.doubt(node)
    return lambda: heal_corosync(node)


def corosync_stopped(scene, node):
    """Whatever ends because its node was thrown out of the cluster is started again, as systemd would."""
    resume = stopped("corosync")(scene, node)
    scene.truth.doubt(node)

    def heal():
        resume()
        if not processes(node, "pacemakerd"):
            lab("start", node, "pacemaker")
    return heal


def pacemakerd_killed(_, node):
    killed("pacemakerd")(_, node)
    return lambda: lab("start", node, "pacemaker")


def ctdbd_killed(_, node):
    lab("stop", node, "ctdb", "KILL")
    return lambda: lab("start", node, "ctdb")


def eventd_killed(_, node):
    """ctdbd ends without it, for its own manager to start it again."""
    killed("ctdb-eventd")(_, node)

    def heal():
        wait_for(f"the end of ctdbd on {node}", lambda: not processes(node, "ctdbd"))
        lab("start", node, "ctdb")
    return heal


def cut(scene, node):
    lab("cut", node)
    scene.truth.cut(node)

    def heal():
        lab("join", node)
        scene.truth.joined(node)
    return heal


def clients_cut(_, __):
    must("hub", "ip", "link", "set", "to-client", "down")
    return lambda: must("hub", "ip", "link", "set", "to-client", "up")


def bad_wire(box, **manners):
    """Of a node, or of the client."""
    def inject(scene, node):
        words = [f"{key}={value}" for key, value in manners.items()]
        wire = Lines("hub", os.path.join(HERE, "wire.py"), box or node, *words, f"seed={scene.seed}")
        wire.wait("^ready$")

        def heal():
            wire.process.stdin.close()
            wire.process.wait(timeout=10)
            wire.wait_end()
        return heal
    return inject


def full_disk(_, node):
    filler = f"{DIR}/disk/filler"
    run(node, "dd", "if=/dev/zero", f"of={filler}", "bs=64k")  # to its end, and whatever is left of a page:
    run(node, "sh", "-c", f"cat /dev/zero >>{filler}")
    return lambda: must(node, "rm", filler)


def no_fds(scene, node):
    """No more than it has. The limits of a process are for its own user to set."""
    pid = str(scene.rig.pid(node))
    status = must(node, "cat", f"/proc/{pid}/status")
    uid, gid = (re.search(rf"(?m)^{key}:\s+(\d+)", status).group(1) for key in ("Uid", "Gid"))
    prlimit = ("setpriv", f"--reuid={uid}", f"--regid={gid}", "--clear-groups", "prlimit", "--pid", pid)
    limit = must(node, *prlimit, "--nofile", "--noheadings", "--output", "SOFT,HARD").split()
    fds = must(node, "ls", f"/proc/{pid}/fd").split()
    must(node, *prlimit, f"--nofile={len(fds)}:{limit[1]}")
    return lambda: run(node, *prlimit, f"--nofile={limit[0]}:{limit[1]}")


def turn(node, number, value):
    """One of the knobs of preload.c."""
    must(node, "python3", "-c", f"import struct; f = open('{KNOBS}', 'r+b'); f.seek({8 * number}); "
                                f"f.write({struct.pack('=q', value)!r})")


def clock_jumps(seconds):
    def inject(_, node):
        turn(node, 0, seconds)
        return lambda: turn(node, 0, 0)
    return inject


def no_memory(one_in):
    def inject(_, node):
        turn(node, 1, one_in)
        return lambda: turn(node, 1, 0)
    return inject


def clients_vanish(_, node):
    """Of the node's witness: as many as there are, all of them in the middle of a call."""
    with Chorus({node: NODES[node]}, VIPS, PORT) as crowd:
        crowd.all_registered(60)
        crowd.send("vanish")
        crowd.wait_end()


FAULTS = (
    Fault("witnessd is killed", killed("witnessd"), restarts=True),
    Fault("witnessd hangs", stopped("witnessd"), silent=True, restarts=True, hold_s=4),
    Fault("the opener is killed", killed("witness-opener"), restarts=True),
    Fault("the opener hangs", stopped("witness-opener"), silent=True, restarts=True, hold_s=4),
    Fault("the tickle agent is killed", killed("witness-tickle"), "pacemaker"),
    Fault("the tickle agent hangs", stopped("witness-tickle"), "pacemaker"),
    Fault("the disk is full", full_disk),
    Fault("no file descriptor is left", no_fds, restarts=True),
    Fault("one in 50 allocations fails", no_memory(50), silent=True, restarts=True),
    Fault("one in 3000 allocations fails", no_memory(3000), silent=True, restarts=True),
    Fault("the clock jumps an hour ahead", clock_jumps(HOUR), lasting=True),
    Fault("the clock jumps an hour back", clock_jumps(-HOUR), lasting=True),
    Fault("the clock jumps a year ahead", clock_jumps(365 * 24 * HOUR), lasting=True),
    Fault("clients vanish in the middle of a call", clients_vanish),
    Fault("the clients' cable is pulled", clients_cut, at_clients=True),
    Fault("the clients' cable loses, delays and duplicates", bad_wire("client", delay=40, jitter=30, loss=10,
                                                                     duplicate=10), at_clients=True),
    Fault("a node's cable loses, delays and duplicates", bad_wire(None, delay=30, jitter=25, loss=3, duplicate=10),
          silent=True),
    # Without quorum Pacemaker stops all that a node has, its witness, too.
    Fault("a node's cable is pulled", cut, "pacemaker", silent=True, restarts=True, fixed=True, loses=True, hold_s=6),
    Fault("a node's cable is pulled", cut, "ctdb", silent=True, fixed=True, loses=True, hold_s=6, voted=True),
    Fault("corosync is killed", corosync_killed, "pacemaker", fixed=True, loses=True),
    Fault("corosync hangs", corosync_stopped, "pacemaker", fixed=True, loses=True, hold_s=4),
    Fault("pacemakerd is killed", pacemakerd_killed, "pacemaker", fixed=True, loses=True),
    Fault("pacemakerd hangs", stopped("pacemakerd"), "pacemaker", hold_s=4),
    *[Fault(f"pacemaker-{name} is killed", killed(f"pacemaker-{name}"), "pacemaker", fixed=fixed)
      for name, fixed in DAEMONS.items()],
    *[Fault(f"pacemaker-{name} hangs", stopped(f"pacemaker-{name}"), "pacemaker", fixed=fixed, restarts=True,
            silent=name == "based", hold_s=4) for name, fixed in DAEMONS.items()],
    Fault("ctdbd is killed", ctdbd_killed, "ctdb", fixed=True, loses=True),
    Fault("ctdbd hangs", stopped("ctdbd"), "ctdb", fixed=True, loses=True),
    Fault("CTDB's recovery daemon is killed", killed("ctdb_recoverd"), "ctdb", fixed=True),
    Fault("CTDB's recovery daemon hangs", stopped("ctdb_recoverd"), "ctdb", fixed=True, hold_s=8),
    Fault("CTDB's event daemon is killed", eventd_killed, "ctdb", fixed=True, loses=True),
    Fault("CTDB's event daemon hangs", stopped("ctdb-eventd"), "ctdb", fixed=True),
)


# What make check has: the most telling ones, several at once, each on a node of its own.
SHORT = {
    "pacemaker": (
        ("witnessd is killed", "the tickle agent is killed", "the disk is full"),
        ("witnessd hangs", "pacemaker-attrd is killed"),
        ("no file descriptor is left", "clients vanish in the middle of a call"),
        ("one in 50 allocations fails", "pacemaker-fenced is killed"),
        ("the clock jumps an hour ahead", "the clock jumps an hour back", "the clients' cable is pulled"),
        ("corosync hangs", "a node's cable loses, delays and duplicates"),
        ("pacemaker-based hangs", "pacemaker-execd is killed"),
    ),
    "ctdb": (
        ("witnessd is killed", "the disk is full", "clients vanish in the middle of a call"),
        ("witnessd hangs", "one in 50 allocations fails", "no file descriptor is left"),
        ("the clock jumps an hour ahead", "the clock jumps an hour back", "the clients' cable is pulled"),
        ("ctdbd hangs", "a node's cable loses, delays and duplicates"),
        ("CTDB's recovery daemon is killed",),
    ),
}


def faults_of(manager):
    return [fault for fault in FAULTS if fault.manager in ("", manager)]


def named(manager, name):
    return next(fault for fault in faults_of(manager) if fault.name == name)
