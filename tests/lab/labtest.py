# SPDX-License-Identifier: GPL-3.0-or-later
"""What the lab's tests and the demo share: TAP, commands in boxes, and lines with time stamps.

The lab itself is up already (tests/lab/run, or an engineer's own `lab up`); LAB_NAME chooses it.
Every time is CLOCK_MONOTONIC in seconds, which all boxes share with this process.
"""
import contextlib
import json
import os
import re
import subprocess
import sys
import threading
import time

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
LAB = os.path.join(TOP, "tests/lab/lab")
BUILD = os.path.abspath(os.environ.get("B", os.path.join(TOP, "build")))
STATE = os.path.join("/run/witness-lab", os.environ.get("LAB_NAME", "witness"))

NETNAME, DOMAIN = "FS", "lab.test"
USER, PASSWORD = "alice", "Secret-01"
CREDENTIALS = f"LAB/{USER}%{PASSWORD}"
KERBEROS = ("--use-kerberos=required", "--no-pass", "-U", f"{USER}@LAB.TEST")


class Failed(Exception):
    """A test's reason; Tap.case() turns it into "not ok"."""


def check(truth, why):
    if not truth:
        raise Failed(why)


class Tap:
    """One TAP stream: case() runs a function as a test, finish() prints the plan."""

    def __init__(self):
        self.count = 0
        self.failed = 0

    def case(self, name, function, *args):
        self.count += 1
        try:
            note = function(*args)
        except (Failed, subprocess.TimeoutExpired, OSError) as why:
            self.failed += 1
            print(f"not ok {self.count} - {name}")
            print("".join(f"# {line}\n" for line in str(why).splitlines()), end="")
        else:
            print(f"ok {self.count} - {name}")
            if note:
                print(f"# {note}")
        sys.stdout.flush()

    def finish(self):
        print(f"1..{self.count}")
        sys.exit(1 if self.failed else 0)


def now():
    return time.clock_gettime(time.CLOCK_MONOTONIC)


def wait_for(what, predicate, timeout=60):
    """Poll until predicate() is true, and return what it returned."""
    deadline = now() + timeout
    while True:
        answer = predicate()
        if answer:
            return answer
        check(now() < deadline, f"timed out after {timeout} s waiting for {what}")
        time.sleep(0.05)


def lab(*args, timeout=90):
    done = subprocess.run([LAB, *args], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, timeout=timeout, check=False)
    check(done.returncode == 0, f"lab {' '.join(args)}: exit status {done.returncode}\n{done.stdout}")
    return done.stdout


def run(box, *command, timeout=30, stdin=None):
    """A command in a box to its end: status and merged output, judged by the caller."""
    done = subprocess.run([LAB, "exec", box, *command], input=stdin, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, errors="replace", timeout=timeout,
                          check=False)
    return done.returncode, done.stdout


def must(box, *command, timeout=30, stdin=None):
    status, out = run(box, *command, timeout=timeout, stdin=stdin)
    check(status == 0, f"{box}: {' '.join(command)}: exit status {status}\n{out}")
    return out


def kill(box, program):
    must(box, "sh", "-c", f"kill -KILL $(pidof {program})")


def heal_corosync(node):
    """After the death of a node's Corosync: what is left of the cluster's software is started again, as
    systemd would."""
    lab("start", node, "corosync")
    wait_for("corosync", lambda: run(node, "corosync-cfgtool", "-s")[0] == 0)
    run(node, "sh", "-c", "kill -KILL $(pidof pacemakerd) 2>/dev/null")
    lab("stop", node, "pacemaker")
    lab("start", node, "pacemaker")


def get_ticket():
    """A KDC that is asked by UDP on a busy machine may be late."""
    wait_for("a ticket", lambda: run("client", "kinit", USER, stdin=PASSWORD + "\n")[0] == 0)


def foreign_vip(node):
    """A floating IPv4 address of another node: one registers for it with this node's witness."""
    status = json.loads(must(node, os.path.join(BUILD, "witnessctl"), "--json", "status"))
    found = [address["address"] for address in status["cluster"]["addresses"]
             if address["kind"] == "floating" and address["node"] not in (None, node)
             and ":" not in address["address"]]
    check(found, f"{node} knows no address of another node: {status['cluster']}")
    return found[0]


class Capture:
    """What tshark saw on the client's wire while inside "with"; read with packets() and fields()."""

    FILE = "/var/tmp/session.pcap"

    def __enter__(self):
        self.tshark = Lines("client", "tshark", "-q", "-i", "eth0", "-w", self.FILE, "-f", "tcp")
        self.tshark.wait("Capturing on")
        return self

    def __exit__(self, *_):
        """A connection made after the session is in the file only after it."""
        try:
            run("client", "smbclient", "-L", "10.77.0.13", "-U", CREDENTIALS)
            wait_for("the end of the session in the file",
                     lambda: self.packets("smb2 && ip.dst == 10.77.0.13"))
        finally:
            self.tshark.stop()

    def packets(self, display_filter, *names):
        """Lines about the packets; with names only these fields, between tabs."""
        args = [arg for name in names for arg in ("-e", name)]
        out = must("client", "tshark", "-n", "-r", self.FILE, "-Y", display_filter,
                   *(["-T", "fields", *args] if names else []))
        return [line for line in out.splitlines() if not line.startswith("Running as user")]


class Lines:
    """A command that runs in a box while we read its lines, each stamped when it arrived.

    The command must not keep its lines to itself; UNBUFFERED before one that would helps.
    """

    UNBUFFERED = ("stdbuf", "-i0", "-o0")

    def __init__(self, box, *command):
        self.name = f"{' '.join(command)} on {box}"
        self.lines = []
        self.news = threading.Condition()
        self.ended = False
        self.found = 0
        self.process = subprocess.Popen(
            [LAB, "exec", box, *command], stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace")
        threading.Thread(target=self._read, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    def _read(self):
        for line in self.process.stdout:
            with self.news:
                self.lines.append((now(), line.rstrip("\n")))
                self.news.notify_all()
            self.heard(line)
        with self.news:
            self.ended = True
            self.news.notify_all()

    def heard(self, line):
        """Called with each line by the thread that reads them."""

    def send(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()

    def mark(self):
        """The place after the last line so far, for wait(..., start=)."""
        with self.news:
            return len(self.lines)

    def wait(self, pattern, timeout=60, start=0):
        """The first line from start that has the pattern: (stamp, match). found: the place after it."""
        deadline = now() + timeout
        with self.news:
            while True:
                for stamp, line in self.lines[start:]:
                    start += 1
                    match = re.search(pattern, line)
                    if match:
                        self.found = start
                        return stamp, match
                left = deadline - now()
                if self.ended or left <= 0:
                    why = "ended" if self.ended else f"said nothing for {timeout:.0f} s"
                    raise Failed(f"{self.name} {why} without /{pattern}/; it said:\n{self.text()}")
                self.news.wait(left)

    def text(self, start=0):
        return "\n".join(line for _, line in self.lines[start:])

    def wait_end(self, timeout=60):
        with self.news:
            check(self.news.wait_for(lambda: self.ended, timeout), f"{self.name} did not end")

    def stop(self):
        """The box kills the command when its nsenter, our child, is gone."""
        self.process.terminate()
        self.process.wait()
        self.wait_end()
        with contextlib.suppress(BrokenPipeError):
            self.process.stdin.close()
        self.process.stdout.close()


class RpcClient(Lines):
    """Samba's rpcclient on the client's box, a command at a time on one connection."""

    HANDLE = r"^(\d+:[0-9a-f-]{36})$"

    def __init__(self, binding, *credentials):
        super().__init__("client", *self.UNBUFFERED, "rpcclient", binding, *credentials)

    def command(self, line, timeout=60):
        """A command's whole output: that of the next, which always says something, ends it."""
        start = self.mark()
        self.send(line)
        self.send("debuglevel")
        self.wait(r"^debug ?level", timeout, start)
        out = self.text(start)
        return re.sub(r"(?m)^debug ?level.*\n?", "", out).strip()

    def register(self, line):
        out = self.command(line)
        handle = re.search("(?m)" + self.HANDLE, out)
        check(handle, f"{line}: no handle but: {out}")
        return handle.group(1)


class RpcWatch(RpcClient):
    """rpcclient that registers for an address with a witness, and always has an AsyncNotify there.

    The next one is sent as soon as the last is answered, whatever the test does meanwhile; and since
    a registration is ended 5 s after its first notification it registers again, as Windows does.
    The witness is a node's name, or an IPv6 address, to reach it by that.
    """

    def __init__(self, node, ip, level="sign"):
        self.watching = False
        host = node if ":" in node else f"{node}.{DOMAIN}"
        super().__init__(f"ncacn_ip_tcp:{host}[{level}]", "-U", CREDENTIALS)
        self.ip = ip
        self.registration = f"Register -1 -n {NETNAME} -i {ip} -c lab"
        self.handle = self.register(self.registration)
        self.place = self.mark()
        self.watching = True
        self.send(f"AsyncNotify {self.handle}")

    def heard(self, line):
        if not self.watching:
            return
        handle = re.search(self.HANDLE, line)
        try:
            if handle:
                self.handle = handle.group(1)
            if handle or re.search(r"with \d+ messages$", line):
                self.send(f"AsyncNotify {self.handle}")
            elif "result was WERR_NOT_FOUND" in line:
                self.send(self.registration)
        except (OSError, ValueError):
            pass  # rpcclient has been stopped

    def notified(self, state, timeout=60):
        """When RESOURCE_CHANGE said so; whatever comes before it is read and goes by."""
        answered = None
        while True:
            stamp, match = self.wait(r"(with \d+ messages$)|(WERR_(?!NOT_FOUND)\w+)|(-> \w+)", timeout,
                                     self.place)
            self.place = self.found
            check(not match.group(2), f"AsyncNotify ended:\n{self.text()}")
            if match.group(1):
                answered = stamp
            elif match.group(3).lower() == f"-> {state}":
                return answered

    def told(self):
        """Everything said since the registration."""
        return self.text(self.place).strip()


class Watch(Lines):
    """witnessctl watch, a client that behaves as Windows does, with the ticket of USER."""

    def __init__(self, ip, *options):
        get_ticket()
        super().__init__("client", os.path.join(BUILD, "witnessctl"), "watch", f"fs.{DOMAIN}",
                         "--server", ip, "--json", *options)
        self.ip = ip
        self.place = 0

    def event(self, fits, timeout=60):
        """The next event for which fits() is true; others go by."""
        deadline = now() + timeout
        while True:
            _, match = self.wait(r"^\{.*\}$", max(0, deadline - now()), self.place)
            self.place = self.found
            event = json.loads(match.group(0))
            if fits(event):
                return event

    def registered(self):
        """The node of the witness."""
        return self.event(lambda event: event["event"] == "registered")["group"]

    def notified(self, state, timeout=60):
        """When RESOURCE_CHANGE said so, by the client's own stamp."""
        return self.event(lambda event: {"name": self.ip, "state": state} in event.get("changes", []),
                          timeout)["time"]


    def moved(self, timeout=60):
        """CLIENT_MOVE: when it came, by the client's own stamp, and where it leads to."""
        event = self.event(lambda event: event.get("type") == "CLIENT_MOVE", timeout)
        return event["time"], [address["address"] for address in event["addresses"]]


class CibWatch(Lines):
    """When a node's CIB shows each finished start and stop of a resource."""

    def __init__(self, node, resource):
        super().__init__(node, os.path.join(BUILD, "tests/lab/cibwatch"), resource)
        super().wait("^ready$")

    def event(self, what, node, timeout=60):
        """The time of a "start" or "stop" on a node, which is a pattern."""
        return float(self.wait(rf"^(\d+\.\d+) {what} {node} rc=0", timeout)[1].group(1))


class Ctdb:
    """What the tests ask of CTDB, whose nodes are numbers from 0; questions go to a node that is on."""

    def __init__(self, node="n1"):
        self.node = node

    @staticmethod
    def pnn(node):
        return str(int(node[1:]) - 1)

    def ctdb(self, *words, timeout=60):
        return must(self.node, "ctdb", *words, timeout=timeout)

    def addresses(self):
        """Node by address, None where nobody has it."""
        rows = [line.split("|")[1:3] for line in self.ctdb("-X", "ip", "all").splitlines()[1:]]
        return {ip: f"n{int(pnn) + 1}" if int(pnn) >= 0 else None for ip, pnn in rows}

    def owner(self, ip):
        return self.addresses()[ip]

    def address_of(self, node):
        """An IPv4 address that the node has."""
        found = [ip for ip, owner in self.addresses().items() if owner == node and ":" not in ip]
        check(found, f"{node} has no address: {self.addresses()}")
        return found[0]

    def owners(self):
        """The nodes that have IPv4 addresses, in their order."""
        return sorted({owner for ip, owner in self.addresses().items() if owner and ":" not in ip})

    def leader(self):
        """None in an election."""
        number = self.ctdb("leader").strip()
        return f"n{int(number) + 1}" if number.isdigit() else None

    def move(self, ip, node):
        self.ctdb("moveip", ip, self.pnn(node))

    def on(self, node, *words):
        """disable, enable, stop, continue, ban, unban: of a node."""
        self.ctdb(*words, "-n", self.pnn(node))

    def settled(self):
        """All nodes are healthy, and every address is up where it should be."""
        status, _ = run(self.node, "ctdb", "nodestatus", "all")
        if status != 0 or self.leader() is None:
            return False
        return all(node and f" {ip}/" in must(node, "ip", "-o", "address")
                   for ip, node in self.addresses().items())

    def settle(self, timeout=60):
        wait_for("the nodes and addresses of CTDB", self.settled, timeout)


def monotonic(text, form):
    """The monotonic clock at a local time with fractions of a second."""
    whole, fraction = text.split(".")
    wall = time.mktime(time.strptime(whole, form)) + float("0." + fraction)
    return wall - (time.time() - now())


class Addresses(Lines):
    """The comings and goings of addresses on a node, with the kernel's time."""

    def __init__(self, node):
        super().__init__(node, "ip", "-ts", "-o", "monitor", "address")

    def history(self, ip):
        """Each of them: (time, whether it came)."""
        return [(monotonic(line[1:line.index("]")], "%Y-%m-%dT%H:%M:%S"), "Deleted" not in line)
                for _, line in list(self.lines) if f" {ip}/" in line]

    def up(self, ip):
        """When the address came, and None if it has not."""
        return next((stamp for stamp, came in self.history(ip) if came), None)

    def gone(self, ip):
        return any(not came for _, came in self.history(ip))


class Corosync:
    """What a node's Corosync logs from now on."""

    def __init__(self, node):
        self.path = os.path.join(STATE, node, "var/log/corosync.out")
        self.start = os.path.getsize(self.path)

    def members_left(self):
        """When it had a membership without somebody."""
        def line():
            with open(self.path, encoding="utf-8") as log:
                log.seek(self.start)
                return next((s for s in log if "[TOTEM ] A new membership" in s and "left:" in s), None)

        words = wait_for("Corosync's new membership", line, 60).split()
        return monotonic(f"{time.localtime().tm_year} {' '.join(words[:3])}", "%Y %b %d %H:%M:%S")


class Cluster:
    """What the tests ask of Pacemaker; every question goes to a node that is on."""

    def __init__(self, node="n1"):
        self.node = node

    def owner(self, resource):
        out = must(self.node, "crm_resource", "--locate", "--resource", resource)
        match = re.search(r"is running on: (\S+)", out)
        return match.group(1) if match else None

    def move(self, resource, node):
        must(self.node, "crm_resource", "--move", "--resource", resource, "--node", node)

    def move_away(self, resource):
        """From where it is, to whatever other node Pacemaker likes."""
        must(self.node, "crm_resource", "--ban", "--resource", resource, "--node", self.owner(resource))

    def settle(self):
        must(self.node, "crm_resource", "--wait", "--timeout=60s", timeout=70)

    def stop(self, resource):
        must(self.node, "crm_resource", "--resource", resource, "--meta",
             "--set-parameter", "target-role", "--parameter-value", "Stopped")
        self.settle()

    def start(self, resource):
        must(self.node, "crm_resource", "--resource", resource, "--meta",
             "--delete-parameter", "target-role")
        self.settle()

    def restore(self, resource):
        """Takes back what move() asked for; the address goes home."""
        must(self.node, "crm_resource", "--clear", "--resource", resource)
        self.settle()
