# SPDX-License-Identifier: GPL-3.0-or-later
"""A lab whose witnessds are started again by whoever does that in production, so that they may be killed; and
what the faults' runner asks of it."""
import json
import os

from labtest import BUILD, TOP, Cluster, Ctdb, Failed, check, lab, must, run, wait_for

HERE = os.path.dirname(os.path.abspath(__file__))
NODES = {"n1": "10.77.0.11", "n2": "10.77.0.12", "n3": "10.77.0.13"}
VIPS = ("10.77.0.101", "10.77.0.102", "10.77.0.103", "fd77::77:103")
PORT = 49200
DIR = "/run/lab/faults"  # in each box
KNOBS = f"{DIR}/knobs"
CTL = os.path.join(BUILD, "witnessctl")
DISK = f"{DIR}/disk"
DISK_SIZE = "16m"
LOG = f"{DISK}/witnessd.log"
RETURN_S = 90

# What is started instead of witnessd: that with tests/lab/faults/preload.c. It has the same name.
WRAPPER = f"""#!/bin/sh
exec env LD_PRELOAD={BUILD}/tests/lab/faults/preload.so WITNESS_FAULTS={KNOBS} {BUILD}/witnessd "$@"
"""


def ask(node, *words):
    """What witnessctl says, None without an answer."""
    status, out = run(node, CTL, "--timeout", "2", "--json", *words)
    try:
        return json.loads(out) if status == 0 else None
    except ValueError:
        return None


class Rig:
    """One of the two below."""

    def __enter__(self):
        for node in NODES:
            must(node, "sh", "-ec", f"mkdir -p {DISK}; mountpoint -q {DISK} || mount -t tmpfs "
                                    f"-o size={DISK_SIZE} tmpfs {DISK}; head -c 64 /dev/zero >{KNOBS}; cat >{DIR}/witnessd; "
                                    f"chmod 755 {DIR}/witnessd; ln -sf {CTL} {DIR}/", stdin=WRAPPER)
        try:
            self.begin()
            self.whole()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        self.end()
        for node in NODES:
            lab("start", node, "witnessd")
        for node in NODES:
            wait_for(f"the lab's witnessd on {node}", lambda n=node: ask(n, "ping"))

    def forgive(self):
        """What has failed may be tried again."""

    def pid(self, node):
        """witnessd's process, 0 without."""
        words = run(node, "pidof", "witnessd")[1].split()
        return int(words[0]) if words and words[0].isdigit() else 0

    def serving(self, node):
        status = ask(node, "status")
        return status is not None and not status["cluster"]["stale"] and status["cluster"]["quorate"] and \
            sum(p["up"] and p["synced"] for p in status["cluster"]["peers"]["peers"]) == len(NODES) - 1

    def knows(self, node):
        """The witness of the node knows where all addresses are."""
        status = ask(node, "status")
        known = {a["address"]: a["node"] for a in status["cluster"]["addresses"]
                 if a["kind"] == "floating" and a["state"] == "available"} if status else {}
        return known == self.addresses()

    def whole(self, timeout=RETURN_S):
        """The cluster is, and so are its witnesses."""
        self.settle(timeout)
        for node in NODES:
            wait_for(f"the witness of {node}", lambda n=node: self.serving(n), timeout)
            wait_for(f"the witness of {node} to know all addresses", lambda n=node: self.knows(n), timeout)


class PacemakerRig(Rig):
    """The resource agent's monitor does it."""

    manager = "pacemaker"
    resources = {"10.77.0.101": "vip1", "10.77.0.102": "vip2", "10.77.0.103": "group3", "fd77::77:103": "group3"}

    def __init__(self):
        self.cluster = Cluster()
        self.moved = set()

    def pcs(self, *words):
        return must(self.cluster.node, "pcs", *words, timeout=90)

    def begin(self):
        for node in NODES:
            lab("stop", node, "witnessd")
        self.pcs("resource", "create", "witness", "ocf:samba:witness", f"binary={DIR}/witnessd",
                 "net_names=FS fs.lab.test", "ntlm_user_file=/etc/ntlm.users", f"log_target={LOG}",
                 "log_level=debug", f"port={PORT}", f"options=global.module_dir={BUILD}",
                 "op", "monitor", "interval=2s", "timeout=7s", "clone")
        self.pcs("resource", "meta", "witness-clone", "failure-timeout=60s")

    def end(self):
        run(self.cluster.node, "pcs", "resource", "delete", "--force", "witness", timeout=90)
        run(self.cluster.node, "crm_resource", "--wait", "--timeout=30s", timeout=40)

    def addresses(self):
        return {ip: self.cluster.owner(self.resources[ip] if self.resources[ip] != "group3" else "vip3")
                for ip in VIPS}

    def settle(self, timeout):
        def settled():
            view = must(self.cluster.node, "crm_mon", "-1", "--output-as=xml")
            return all(f'<node name="{n}" id=' in view for n in NODES) and \
                view.count('online="true"') == len(NODES) and 'pending="true"' not in view

        wait_for("all nodes in Pacemaker", settled, timeout)
        self.forgive()
        wait_for("Pacemaker to be done",
                 lambda: run(self.cluster.node, "crm_resource", "--wait", "--timeout=30s", timeout=60)[0] == 0, timeout)
        wait_for("all addresses at home", lambda: sorted(self.addresses().values()) == ["n1", "n2", "n3", "n3"],
                 timeout)

    def forgive(self):
        """A resource that could not be started somewhere stays away until somebody has had a look."""
        run(self.cluster.node, "crm_resource", "--cleanup", timeout=60)

    def move(self, ip, node):
        self.cluster.move(self.resources[ip], node)
        self.moved.add(self.resources[ip])

    def restore(self):
        while self.moved:
            self.cluster.restore(self.moved.pop())


class CtdbRig(Rig):
    """systemd does it. There is none in a box: tests/lab/faults/supervise does what its unit says."""

    manager = "ctdb"

    def __init__(self):
        self.cluster = Ctdb()
        self.homes = {}

    def begin(self):
        self.cluster.settle()
        for node in NODES:
            line = must(node, "sh", "-c", "cat /proc/$(pidof witnessd)/cmdline").rstrip("\0").split("\0")
            lab("stop", node, "witnessd")
            command = [f"{DIR}/witnessd", *line[1:], "-o", f"rpc.port={PORT}", "-o", f"global.log_target={LOG}"]
            # as a child of the box's init, not of ours
            must(node, "sh", "-c", 'setsid "$@" >>/var/log/witnessd.out 2>&1 </dev/null & '
                 f"echo $! >{DIR}/supervise.pid", "-", os.path.join(HERE, "supervise"),
                 os.path.join(TOP, "packaging/witnessd.service"), *command)

    def end(self):
        for node in NODES:
            run(node, "sh", "-c", f"kill $(cat {DIR}/supervise.pid)")
            wait_for(f"the end of {node}'s witness", lambda n=node: not self.pid(n))

    def addresses(self):
        return self.cluster.addresses()

    def settle(self, timeout):
        self.cluster.settle(timeout)

    def move(self, ip, node):
        self.homes.setdefault(ip, self.cluster.owner(ip))
        try:
            self.cluster.move(ip, node)
        except Failed:
            self.cluster.settle()  # a recovery came between: once more
            self.cluster.move(ip, node)

    def restore(self):
        self.homes.clear()
        self.cluster.settle()


def processes(node, name):
    """By the name that the kernel has, which keeps 15 letters of it."""
    return [int(pid) for pid in run(node, "pgrep", "-x", name[:15])[1].split() if pid.isdigit()]


def rig_of(manager):
    check(manager in ("pacemaker", "ctdb"), f"no faults for {manager}")
    return PacemakerRig() if manager == "pacemaker" else CtdbRig()
