# SPDX-License-Identifier: GPL-3.0-or-later
"""What the tests of the administrator's commands share, whatever the cluster manager. Every command is given on a
node that does not have the registration, and whatever is printed as JSON is what the schema says."""
import json
import os
import re
import sys
from contextlib import ExitStack

from labtest import DOMAIN, PASSWORD, STATE, TOP, USER, Lines, Watch, check, lab, must, run, wait_for
from overlay import Installed
from peerlab import CTL, NODES, WAITS, together
from rpclab import RpcExClient

sys.path.insert(0, os.path.join(TOP, "tests/daemon"))
import ctlschema  # noqa: E402  pylint: disable=wrong-import-position

WIDTH = 80
LONG = "a-client-whose-name-is-as-long-as-names-of-computers-may-become"
NOBODYS = "10.77.0.250"
driven = set()


def ctl(node, *words, status=0, env=()):
    """What witnessctl prints on a node; it ends with that exit status."""
    driven.add(next((word for word in words if not word.startswith("-")), ""))
    got, out = run(node, "env", *env, CTL, *words, timeout=150)
    check(got == status, f"{node}: witnessctl {' '.join(words)}: exit status {got}, not {status}\n{out}")
    return out


def described(command, printed):
    """What a command has printed is what the schema says."""
    faults = ctlschema.faults(command, printed)
    check(not faults, faults)
    return printed


def ask(node, *words, status=0):
    return described(words[0], json.loads(ctl(node, "--json", *words, status=status)))


def places(node="n1"):
    """The available addresses by node, as the witness of a node knows them."""
    found = {name: [] for name in NODES}
    for address in ask(node, "status")["cluster"]["addresses"]:
        if address["state"] == "available":
            found[address["node"]].append(address["address"])
    return found


def ipv4(there, node):
    """An IPv4 address of a node; None if it has none."""
    return next((ip for ip in there[node] if ":" not in ip), None)


def home_of(ip):
    return next(node for node, addresses in places().items() if ip in addresses)


def records(node="n1", *words):
    return {record["client"]: record for record in ask(node, "list", *words)}


class Person(Watch):
    """A client of version 2 of a share, which wants all news, and has a name."""

    def __init__(self, name, ip, *options):
        super().__init__(ip, "--client-name", name, *options)
        self.client = name

    def record(self):
        return records().get(self.client)

    def waits(self, other_than=None):
        """Its registration, when it waits for news; and is another one than that of an earlier record."""
        def new():
            record = self.record()
            return record if record and record["state"] == WAITS and (
                other_than is None or record["handle"] != other_than["handle"]) else None

        return wait_for(f"{self.client} to wait", new, 60)

    def notifications(self):
        return [described("watch", json.loads(line)) for line in self.text().splitlines() if '"notification"' in line]


def stranger(record):
    """The node that is neither its witness nor its server."""
    return next(node for node in NODES if node not in (record["witness"], record["node"]))


# ---- who is listed ----

class Listed:
    """Three clients: one of a share, with a long name; one of another address; and rpcclient."""

    def __init__(self, home, start):
        there = places()
        self.home, self.far = home, next(n for n in NODES if n != home and ipv4(there, n))
        self.ip, self.far_ip = ipv4(there, home), ipv4(there, self.far)
        self.long = start(Person(LONG, self.ip, "--share", "data", "--ip-notify"))
        self.other = start(Person("other", self.far_ip))
        start(RpcExClient(self.far, self.ip, "data", name="samba"))
        self.records = wait_for("all to wait", lambda: self.waiting(records()), 30)

    @staticmethod
    def waiting(found):
        names = {LONG, "other", "samba"}
        return found if set(found) == names and all(r["state"] == WAITS for r in found.values()) else None

    def selections(self):
        """Words, and whom they select."""
        handle = self.records["other"]["handle"]
        yield from (
            (["--all"], {LONG, "other", "samba"}), ([], {LONG, "other", "samba"}),
            (["--registration", handle], {"other"}), (["--registration", handle[:-2].upper() + "*"], {"other"}),
            (["--net-name", "fs"], {"samba"}), (["--net-name", "F?.*"], {LONG, "other"}),
            (["--share-name", "DAT[a-z]"], {LONG, "samba"}), (["--share-name", "other"], set()),
            (["--ip-address", self.far_ip], {"other"}), (["--ip-address", "10.77.0.10[1-3]"], {LONG, "other", "samba"}),
            (["--client-computer-name", "*-LONG-as-*"], {LONG}), (["--client-computer-name", "[os]????"], {"other", "samba"}),
            (["--node", self.home], {LONG, "samba"}), (["--node", self.far], {"other"}),
            (["--net-name", "fs*", "--share-name", "data", "--node", "n?", "--client-computer-name", "s*"], {"samba"}),
        )
        for node in NODES:
            yield ["--witness", node], {c for c, r in self.records.items() if r["witness"] == node}


def selects(people):
    """Every option, from one node or the other; and all of each."""
    for i, (words, expected) in enumerate(people.selections()):
        node = NODES[i % len(NODES)]
        got = set(records(node, *words))
        check(got == expected, f"{node}: list {' '.join(words)}: {sorted(got)}, not {sorted(expected)}")
    for node in NODES:
        check(set(records(node)) == set(people.records), f"{node} does not list all")
        own = {client for client, record in people.records.items() if record["witness"] == node}
        check(set(records(node, "--local")) == own, f"{node}: list --local: not {own}")


def shows_one(people):
    for client, record in people.records.items():
        node = next(n for n in NODES if n != record["witness"])
        shown = ask(node, "show", record["handle"])
        check({**shown, "last_used": 0} == {**record, "last_used": 0}, f"{shown} instead of {record}")
        text = ctl(node, "show", record["handle"])
        check(re.search(rf"^Client +{client}$", text, re.M) and re.search(rf"^Witness node +{record['witness']}$", text, re.M), text)


def without_values(metrics):
    """Lines of Prometheus' format, which may count on between two looks."""
    return re.sub(r"^([^#].*) [^ \n]+$", r"\1", metrics, flags=re.M)


def at_a_glance(people):
    """status, nodes, metrics and ping say the same, whoever is asked; memory is what each has itself."""
    there = places()
    for node in NODES:
        nodes = {row["name"]: row for row in ask(node, "nodes")}
        check(sorted(nodes) == sorted(NODES), f"{nodes}")
        for name, row in nodes.items():
            clients = sum(record["node"] == name for record in people.records.values())
            own = sum(record["witness"] == name for record in people.records.values())
            check((row["clients"], row["registrations"], row["addresses"], row["local"], row["online"], row["witness"]) ==
                  (clients, own, len(there[name]), name == node, True, True), f"{node}: {row}")
        own = nodes[node]["registrations"]
        status = ask(node, "status")
        check(status["witness"]["registrations"] == own and status["pid"] == ask(node, "ping")["pid"], f"{status}")
        memory = ask(node, "memory")
        check(sum(part["blocks"] for part in memory["parts"]) <= memory["blocks"] < memory["bytes"], f"{memory}")
        other = NODES[(NODES.index(node) + 1) % len(NODES)]
        check(ask(other, "status", "--node", node)["pid"] == status["pid"] and
              ask(other, "nodes", "--node", node.upper()) == ask(node, "nodes"), f"{other}: another node than {node}")
        text = ask(other, "metrics", "--node", node)
        check(re.search(rf"^witnessd_registrations {own}$", text, re.M), f"{node}: not {own} registrations:\n{text}")
        printed = ctl(node, "metrics")
        check(text.startswith("# HELP") and text.endswith("\n") and without_values(text) == without_values(printed),
              f"{node}: as JSON:\n{text}\nas text:\n{printed}")


def told_to_clients(people):
    """interfaces shows what a client that asks that node is told."""
    for node in NODES:
        told = described("probe", json.loads(must(
            "client", CTL, "--json", "probe", "--server", f"{node}.{DOMAIN}", "--kerberos", "--target", f"cifs@fs.{DOMAIN}")))
        driven.add("probe")
        check(told["authenticated"], f"{told}")
        rows = {row["ip"]: (row["group"], row["state"], row["witness"]) for row in ask(node, "interfaces")}
        got = {ip: (row["group"], row["state"]) for row in told["interfaces"] for ip in row["addresses"]}
        check(got == {ip: row[:2] for ip, row in rows.items()} and people.ip in rows, f"{node}: {got} instead of {rows}")
        check(all(row[2] == (row[0] != node) for row in rows.values()), f"{node}: its own addresses for witnesses: {rows}")


def doctor_finds_nothing(_):
    found = ask("n1", "doctor")
    bad = [row for row in found["checks"] if row["verdict"] == "fail"]
    check(found["verdict"] != "fail" and not bad and found["ok"] > 5, f"{bad}")
    check(any(row["check"] == "clients" and row["verdict"] == "ok" for row in found["checks"]), f"{found}")


def fits_a_terminal(people):
    """Without COLUMNS the list is wider: there is something to be cut."""
    check(max(map(len, ctl("n1", "list").splitlines())) > WIDTH, "the list fits as it is")
    for words in (["list"], ["nodes"], ["interfaces"], ["status"], ["drain", people.home, "--dry-run"], ["rebalance", "--dry-run"],
                  ["client-move", "--to-node", people.far, "--all", "--dry-run"]):
        text = ctl("n1", *words, env=(f"COLUMNS={WIDTH}",))
        wide = [line for line in text.splitlines() if len(line) > WIDTH]
        check(not wide, f"{' '.join(words)}: more than {WIDTH} columns:\n" + "\n".join(wide))
        check(words[0] == "nodes" or re.search(r"(^| )10\.77\.0\.10[1-3] ", text, re.M), f"no whole address:\n{text}")


def logs(people):
    """log-level and blackbox, of a node whose witness has no part in it."""
    node = people.home
    log = os.path.join(STATE, node, "var/log/witnessd.log")
    check(ask(node, "log-level", "info") == {"level": "info"}, "another level")
    size = os.path.getsize(log)
    ask(node, "status")
    with open(log, encoding="utf-8", errors="replace") as f:
        f.seek(size)
        check("debug" not in f.read(), "debug is logged")
    file = ask(node, "blackbox")["file"]
    check("Log level is info now" in must(node, "qb-blackbox", file), f"it is not in {file}")
    ctl(node, "log-level", "loud", status=1)
    check(ctl(node, "log-level", "debug") == "", "it says something")


def logs_of_another(people):
    """The same, given on another node."""
    node = people.home
    other = next(name for name in NODES if name != node)
    check(ask(other, "log-level", "info", "--node", node) == {"level": "info"}, "another level")
    there, file = ctl(other, "blackbox", "--node", node).strip().split(":")
    check(there == node and "Log level is info now" in must(node, "qb-blackbox", file), f"it is not in {file} of {node}")
    check(f"node {node}: expected a level" in ctl(other, "log-level", "loud", "--node", node, status=1), "no reason")
    check(ctl(other, "log-level", "debug", "--node", node) == "", "it says something")


# ---- orders ----

def sent_to(kind, *addresses):
    """A notification of that type with one address at least, of these only."""
    def fits(event):
        to = {address["address"] for address in event.get("addresses", [])}
        return event.get("type") == kind and to and to <= set(addresses)

    return fits


def changed(ip, state):
    return lambda event: event.get("changes") == [{"name": ip, "state": state}]


def ip_changed(ip, state):
    return lambda event: [(a["address"], a["state"]) for a in event.get("addresses", []) if event["type"] == "IP_CHANGE"] == [
        (ip, state)]


def registers_again(event):
    return event["event"] == "re-registering"


def orders(ip, near, far, there):
    """Name, command, what its client is told, and the node where it is after it has registered again; None: it does not."""
    home, to_ip = home_of(ip), ipv4(there, far)
    reply = json.dumps({"result": 0, "response": {"type": 2, "messages": [{"flags": 9, "ipv4": to_ip}]}})
    return (
        ("by-node", ["client-move", "--to-node", near], sent_to("CLIENT_MOVE", *there[near]), near),
        ("by-ip", ["client-move", "--to-ip", to_ip], sent_to("CLIENT_MOVE", to_ip), far),
        ("share-by-node", ["share-move", "--to-node", far.upper()], sent_to("SHARE_MOVE", *there[far]), far),
        ("share-by-ip", ["share-move", "--to-ip", to_ip], sent_to("SHARE_MOVE", to_ip), far),
        ("n-change", ["notify", "change", "--state", "unavailable"], changed(ip, "unavailable"), home),
        ("n-move", ["notify", "move", "--to-node", far], sent_to("CLIENT_MOVE", *there[far]), far),
        ("n-share", ["notify", "share-move", "--to-ip", to_ip], sent_to("SHARE_MOVE", to_ip), far),
        ("n-ip", ["notify", "ip-change", "--address", to_ip, "--state", "unavailable"], ip_changed(to_ip, "offline"), None),
        ("by-hand", ["force-response", reply], sent_to("CLIENT_MOVE", to_ip), None),
        ("ended", ["force-unregister"], registers_again, home),
        ("ended-by-handle", ["force-unregister", "HANDLE"], registers_again, home),
    )


class Ordered:
    """A client for each order, all of one address."""

    def __init__(self, home, start):
        there = places()
        near, far = sorted((n for n in NODES if n != home), key=lambda n: ipv4(there, n) is not None)
        self.ip, self.far = ipv4(there, home), far
        self.home, self.there, self.start, self.before = home, there, start, {}
        self.orders = {order[0]: order for order in orders(self.ip, near, far, there)}
        self.people = {name: start(Person(name, self.ip, "--share", "data", "--ip-notify")) for name in self.orders}
        driven.add("events")
        self.news = {node: start(Lines(node, CTL, "--json", "events", "--follow")) for node in NODES}
        for person in self.people.values():
            person.registered()

    def rehearsed(self):
        """--dry-run says what would come of it, and nothing does."""
        for name, words, _, _ in self.orders.values():
            record = self.people[name].waits()
            self.before[name] = record
            words = [record["handle"] if word == "HANDLE" else word for word in words]
            done = ask(stranger(record), *words, "--client-computer-name", name, "--dry-run")
            check(done["dry_run"] and done["job"] is None and done["results"] == {"told": 1}, f"{done}")
        for name, person in self.people.items():
            check(person.record() == self.before[name], f"{person.record()}, which was {self.before[name]}")
            check(not person.notifications(), person.text())

    def told(self, name):
        """Its client is, and whoever follows the events sees it."""
        _, words, fits, _ = self.orders[name]
        person, record = self.people[name], self.before[name]
        follower = self.news[stranger(record)]
        mark = follower.mark()
        words = [record["handle"] if word == "HANDLE" else word for word in words]
        if "HANDLE" not in self.orders[name][1]:
            words += ["--client-computer-name", name]
        done = ask(stranger(record), *words)
        check(done["results"] == {"told": 1} and done["clients"][0]["handle"] == record["handle"], f"{done}")
        event = person.event(lambda e: e["event"] in ("notification", "re-registering", "failed"))
        check(fits(event), f"{event}")
        if event["event"] == "notification" and name != "by-hand":
            line = follower.wait(rf'^.*"client":"{name}".*"event":"notification".*$', 20, mark)[1].group(0)
            check(described("events", json.loads(line))["node"] == record["witness"], line)

    def nobody_else(self):
        """Each has got its own, and is where it was sent."""
        for name, (_, _, fits, node) in self.orders.items():
            person = self.people[name]
            record = person.waits(self.before[name] if node else None)
            check(record["node"] == (node or self.home), f"{name} is at {record['node']}, not {node or self.home}")
            check(node or record["handle"] == self.before[name]["handle"], f"{name} has another registration")
            told = person.notifications()
            check(len(told) == (0 if fits is registers_again else 1), f"{name} was told {told}")

    def there_already(self):
        """A move to where the client is says so, and nobody is told."""
        for name, words in (("by-node", ["client-move", "--to-node"]), ("share-by-node", ["share-move", "--to-node"]),
                            ("by-ip", ["client-move", "--to-ip"]), ("n-change", ["notify", "change", "--state", "available"])):
            record = self.people[name].waits()
            words = words + ([record["node" if words[-1] == "--to-node" else "ip"]] if words[-1].startswith("--to") else [])
            expected = "already known" if words[0] == "notify" else "already there"
            done = ask(stranger(record), *words, "--client-computer-name", name)
            check(done["results"] == {expected: 1}, f"{done}")
            text = ctl(stranger(record), *words, "--client-computer-name", name)
            check(text.splitlines()[-1] == f"1 {expected}", text)
            check(self.people[name].record()["notifications"] == 0, f"{name} was told")

    def samba(self):
        """rpcclient, and a program that was built against libswnclient, are told as well."""
        to = self.far
        rpc = self.start(RpcExClient(to, self.ip, "data", name="samba"))
        self.start(Installed("client"))
        program = self.start(library_client(self.ip))
        program.wait("^registered ")
        record = wait_for("both to wait", lambda: all(records().get(c, {}).get("state") == WAITS for c in (
            "samba", "client")) and records(), 30)
        ip = ipv4(self.there, to)
        for client in ("samba", "client"):
            done = ask(stranger(record[client]), "client-move", "--to-node", to, "--client-computer-name", client)
            check(done["results"] == {"told": 1}, f"{done}")
        rpc.told("Client move")
        rpc.wait(rf"^Flags 0x00000009 {re.escape(ip)} Online")
        program.wait(rf"^notification CLIENT_MOVE.* {re.escape(ip)}:available")
        ask(stranger(record["samba"]), "share-move", "--to-ip", ip, "--client-computer-name", "samba")
        rpc.told("Share move", ip)
        ask(stranger(record["samba"]), "notify", "change", "--state", "unavailable", "--client-computer-name", "samba")
        rpc.told("Resource change", self.ip)
        program.wait(rf"^registered {re.escape(ip)} ", 30)


def library_client(ip):
    """The example as a stranger builds it on the client's box, where the library is installed: by pkg-config alone."""
    must("client", "sh", "-c", "cc -Wall -Werror -o /srv/swn-wait /usr/share/doc/witnessd/examples/swn-wait.c "
         "$(pkg-config --cflags --libs libswnclient)", timeout=120)
    linked = must("client", "ldd", "/srv/swn-wait")
    check(re.search(r"libswnclient\.so\.0 => (/usr)?/lib/libswnclient", linked), linked)
    return Lines("client", "env", f"SWN_USER={USER}", "SWN_DOMAIN=LAB", f"SWN_PASSWORD={PASSWORD}", "/srv/swn-wait",
                 f"fs.{DOMAIN}", ip)


# ---- what cannot be done ----

BAD = (
    (5, "no registration matches", ["client-move", "--to-node", "n2", "--share-name", "nosuch"]),
    (5, "no registration matches", ["rebalance", "--share-name", "nosuch"]),
    (5, "no registration", ["show", "00000000-0000-0000-0000-000000000000"]),
    (5, "no registration", ["force-unregister", "00000000-0000-0000-0000-000000000000"]),
    (6, "no node nowhere", ["client-move", "--to-node", "nowhere", "--all"]),
    (6, "no node nowhere", ["share-move", "--to-node", "nowhere", "--all"]),
    (6, "no node nowhere", ["drain", "nowhere"]),
    (6, "no node nowhere", ["undrain", "nowhere"]),
    (6, "no node nowhere", ["list", "--node", "nowhere"]),
    (6, "no node nowhere", ["status", "--node", "nowhere"]),
    (7, f"{NOBODYS} is not an address", ["client-move", "--to-ip", NOBODYS, "--all"]),
    (7, f"{NOBODYS} is not an address", ["list", "--ip-address", NOBODYS]),
    (7, f"{NOBODYS} is not an address", ["leave", NOBODYS]),
    (7, f"{NOBODYS} is not an address", ["tickle", NOBODYS]),
    (8, "not JSON", ["force-response", "{", "--all"]),
    (8, "expected", ["force-response", '{"response": 1}', "--all"]),
    (1, "expected an IPv4 or IPv6 address", ["client-move", "--to-ip", "x", "--all"]),
    (2, "which registrations are meant", ["client-move", "--to-node", "n2"]),
    (2, "either --to-node or --to-ip", ["client-move", "--all"]),
    (2, "expected --state", ["notify", "change", "--all"]),
    (2, "witnessctl nodes: --nonsense is not an option of it", ["nodes", "--nonsense"]),
    (2, "witnessctl undrain: --dry-run is not an option of it", ["undrain", "--dry-run", "n1"]),
    (2, 'witnessctl ping: "x" is more than it takes', ["ping", "x"]),
    (2, "is not a command", ["nonsense"]),
)


def bad_input(people):
    """Its own message and exit code; nobody is told."""
    for i, (code, why, words) in enumerate(BAD):
        out = ctl(NODES[i % len(NODES)], *words, status=code)
        check(why in out, f"witnessctl {' '.join(words)}: {out}")
    for client, record in records().items():
        check(record["notifications"] == 0 and record["handle"] == people.records[client]["handle"], f"{record}")


def no_permission(_):
    for words in (["list"], ["status"], ["drain", "n1"], ["blackbox"], ["client-move", "--to-node", "n2", "--all"]):
        status, out = run("n2", "setpriv", "--reuid", "7001", "--regid", "7001", "--clear-groups", CTL, *words)
        check(status == 4 and "lets in only root" in out, f"{' '.join(words)}: exit status {status}\n{out}")


def no_daemon():
    lab("stop", "n3", "witnessd")
    try:
        for words in (["list"], ["ping"], ["nodes"], ["drain", "n1"]):
            check("no witnessd is running" in ctl("n3", *words, status=3), f"{words}")
        others = {row["name"]: row["witness"] for row in ask("n1", "nodes")}
        check(others == {"n1": True, "n2": True, "n3": False}, f"{others}")
    finally:
        lab("start", "n3", "witnessd")
    together()


# ---- addresses ----

def leaves(people):
    """Given where the address is; its clients are registered with other nodes' witnesses."""
    person = people.other
    before = len(person.notifications())
    done = ask(people.far, "leave", people.far_ip)
    check((done["told"], done["untold"], done["silent"]) == (1, 0, 0), f"{done}")
    _, to = person.moved()
    check(len(person.notifications()) == before + 1 and to and people.far_ip not in to, f"{person.text()}")
    for node in NODES:
        if node != people.far:
            check("does not have the address" in ctl(node, "leave", people.far_ip, status=1), node)


def every_command():
    text = ctl("n1", "help")
    check(ctl("n1", "version").startswith("witnessctl "), "version")
    names = set(re.findall(r"^  ([a-z][a-z-]*)", text, re.M))
    driven.add("watch")
    check(names <= driven and len(names) > 25, f"not driven: {sorted(names - driven)}")


def all_of_them(tap, home, backend, connections):
    """The cases. @param home a node that has an IPv4 address; backend(), connections(people): of the cluster manager"""
    with ExitStack() as stack:
        people = Listed(home(), stack.enter_context)
        tap.case("list selects by every option, with patterns, from every node", selects, people)
        tap.case("show has all of a registration", shows_one, people)
        tap.case("status, nodes, metrics and ping say the same on every node", at_a_glance, people)
        tap.case("interfaces is what a client is told, which probe shows", told_to_clients, people)
        tap.case(f"tables have {WIDTH} columns at most", fits_a_terminal, people)
        tap.case("doctor finds nothing that has failed", doctor_finds_nothing, people)
        tap.case("log-level and blackbox", logs, people)
        tap.case("log-level and blackbox of another node", logs_of_another, people)
        tap.case("connections and tickle", connections, people)
        tap.case("the backend's own commands", backend)
        tap.case("bad input: what is wrong, and an exit code of its own", bad_input, people)
        tap.case("no permission", no_permission, people)
        tap.case("leave sends the clients of an address away", leaves, people)
    with ExitStack() as stack:
        ordered = Ordered(home(), stack.enter_context)
        tap.case("--dry-run changes nothing", ordered.rehearsed)
        for name, words, _, _ in ordered.orders.values():
            tap.case(f"{' '.join(words)}: its client is told", ordered.told, name)
        tap.case("nobody else was told, and all are where they were sent", ordered.nobody_else)
        tap.case("a move to where the client is says so", ordered.there_already)
        tap.case("rpcclient and a program of libswnclient are told, too", ordered.samba)
    tap.case("no daemon", no_daemon)
