# SPDX-License-Identifier: GPL-3.0-or-later
"""A round: clients of everything, faults, a move in the midst of them, their healing; and what has to be true then."""
import os
import subprocess
import time
from contextlib import ExitStack

from labtest import Failed, check, must, now, run, wait_for
from rig import LOG, NODES, PORT, VIPS, ask
from truth import Chorus, Truth

SERVES_S = 5      # what a witness may take until it serves again
INFORMED_S = 60   # what a cluster and its witnesses may take to get over it
IDLE_S = 30
CTDB_NOTICES_S = 45  # its keep-alives, 5 of 5 s, and a recovery
MORE_RSS_KIB = 12 << 10
MORE_BLOCKS = 300


class Ledger:
    """What each witnessd has while it has no clients."""

    def __init__(self, rig):
        self.rig = rig
        self.before, self.seen = {}, None

    def idle(self, node):
        """Nobody comes back for what was handed back after a restart: not those clients."""
        for left in ask(node, "list", "--local") or []:
            if left["state"] == "handed back":
                ask(node, "force-unregister", left["handle"])
        status = ask(node, "status")
        return status is not None and status["rpc"]["stats"]["connections"] == 0 and \
            status["witness"]["registrations"] == 0

    def look(self, node):
        pid = self.rig.pid(node)
        fds = len(must(node, "ls", f"/proc/{pid}/fd").split())
        rss = int(must(node, "grep", "VmRSS", f"/proc/{pid}/status").split()[1])
        memory = ask(node, "memory") or {}
        return {"pid": pid, "fds": fds, "rss": rss, "blocks": memory.get("blocks", 0)}

    def back(self, node):
        """Whether it has what it had; a new one has what it has."""
        seen, before = self.look(node), self.before.get(node)
        if before is None or before["pid"] != seen["pid"]:
            self.before[node] = seen
            return True
        self.seen = seen
        return seen["fds"] <= before["fds"] and seen["rss"] <= before["rss"] + MORE_RSS_KIB and \
            seen["blocks"] <= before["blocks"] + MORE_BLOCKS

    def balance(self):
        for node in NODES:
            wait_for(f"{node} to have no clients", lambda n=node: self.idle(n), 150)
            try:
                wait_for("what it had", lambda n=node: self.back(n), IDLE_S)
            except Failed:
                check(False, f"{node} had {self.before[node]} without clients, now {self.seen}")


class Scene:
    """A lab, and rounds in it."""

    def __init__(self, rig, chance, seed):
        self.rig, self.chance, self.seed = rig, chance, seed
        self.ledger = Ledger(rig)
        self.truth = self.chorus = None
        self.healed = 0

    def quiet(self):
        """Once with clients and without faults: what a witness allocates once and for all is there then."""
        with Chorus(NODES, VIPS, PORT) as chorus:
            chorus.all_registered(60)
        self.ledger.balance()

    def round(self, *faults):
        """faults: (fault, node). @return a note"""
        with ExitStack() as stack:
            self.truth = Truth(stack, NODES)
            self.chorus = stack.enter_context(Chorus(NODES, VIPS, PORT))
            self.chorus.all_registered(60)
            pids = {node: self.rig.pid(node) for node in NODES}
            began = now()
            self._suffer(faults, stack)
            try:
                self.rig.whole()
            finally:
                self._judge(faults, began, pids)
            self.chorus.all_registered(INFORMED_S)
            self._judge(faults, began, pids)
            worst = self._worst(began)
        self.ledger.balance()
        for node in NODES:
            run(node, "truncate", "-s", "0", LOG)
        return f"{now() - began:.0f} s; silent for {worst:.1f} s at most"

    def _suffer(self, faults, last):
        """Inject, move something, wait, heal, and move it back."""
        sick = [node for _, node in faults]
        self.rig.cluster.node = next((n for n in NODES if n not in sick), "n1")
        with ExitStack() as healing:
            for fault, node in faults:
                heal = fault.inject(self, node)
                if heal is not None:
                    (last if fault.lasting else healing).callback(heal)
            if not any(fault.fixed for fault, _ in faults):
                self._move()
            time.sleep(self._hold_s(faults))
        self.rig.cluster.node = "n1"
        self.rig.forgive()
        self.healed = now()
        self.rig.restore()

    def _hold_s(self, faults):
        """Until somebody has to have noticed. With one node lost, and a witness that is away or has just been
        started again and never heard that node, CTDB's witnesses have no majority."""
        hold_s = max(fault.hold_s for fault, _ in faults)
        if self.rig.manager == "ctdb" and any(fault.voted for fault, _ in faults) and \
                any(not fault.voted and (fault.restarts or fault.silent) for fault, _ in faults):
            return max(hold_s, CTDB_NOTICES_S)
        return hold_s

    def _move(self):
        vip = self.chance.choice(VIPS[:2])
        here = self.rig.addresses()[vip]
        self.rig.move(vip, self.chance.choice([node for node in NODES if node != here]))

    def _judge(self, faults, began, pids):
        """All that may not be, at once: the one explains the other."""
        wrong = [*self.chorus.lies(self.truth, began), *self._dead(faults, pids),
                 *self._late(faults, began)]
        try:
            wait_for("all to know", lambda: not list(self.chorus.uninformed(self.truth, began)), INFORMED_S)
        except Failed:
            wrong += self.chorus.uninformed(self.truth, began)
        check(not wrong, "\n".join(wrong))

    def _dead(self, faults, pids):
        for node, pid in pids.items():
            if not any(fault.restarts for fault, sick in faults if sick == node) and self.rig.pid(node) != pid:
                yield f"witnessd of {node} is not the process that it was"

    def _late(self, faults, began):
        """Witnesses that did not serve for too long: since the fault, or since it was healed. Where two have to be
        started again Pacemaker starts neither before it has stopped both, which a hung one has its time for."""
        several = sum(fault.restarts for fault, _ in faults) > 1
        busy = max(1, os.getloadavg()[0] / 2 / os.cpu_count())  # with something else
        for node in NODES:
            silent = several or any(fault.silent for fault, sick in faults if sick == node) or \
                any(fault.at_clients for fault, _ in faults)
            for start, end in self.chorus.outages(node, began):
                until = now() if end is None else end
                since = max(start, self.healed) if silent else start
                if until - since > SERVES_S * busy:
                    yield f"{node} did not serve for {until - since:.1f} s"

    def _worst(self, began):
        return max((end - max(start, began) for node in NODES
                    for start, end in self.chorus.outages(node, began) if end is not None), default=0)


def show_logs():
    """After a failure, for whoever reads it."""
    for node in NODES:
        try:
            print("".join(f"# {node}: {line}\n" for line in run(node, "sh", "-c", f"grep -v debug {LOG} | tail -n 12")[1].splitlines()), end="")
        except (Failed, subprocess.TimeoutExpired):
            pass
