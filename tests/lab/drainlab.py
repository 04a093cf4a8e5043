# SPDX-License-Identifier: GPL-3.0-or-later
"""What the tests of drain and rebalance share, whatever the cluster manager: 200 clients that watch, and move when
they are told to."""
import json
import os

from labtest import DOMAIN, STATE, Lines, check, get_ticket, now, wait_for
from peerlab import CTL, NODES, WAITS
from adminlab import ask, ctl, described, ipv4, places, records

NUMBER = 200
FOLDER = "/srv/crowd"
# Ended by SIGTERM, with all of them.
START = f"""
mkdir -p {FOLDER}
trap 'kill $(jobs -p) 2>/dev/null' TERM EXIT
for i in $(seq {NUMBER}); do
	"$1" watch fs.{DOMAIN} --server "$2" --json --client-name "crowd-$i" >"{FOLDER}/$i" 2>&1 </dev/null &
done
echo started
wait
"""


class Crowd(Lines):
    """So many witnessctl watch, all of one address of a node."""

    def __init__(self, home):
        get_ticket()
        self.home = home
        self.ip = ipv4(places(), home)
        super().__init__("client", "bash", "-c", START, "-", CTL, self.ip)
        self.folder = os.path.join(STATE, "shared", os.path.basename(FOLDER))

    def told(self):
        """By client: the notifications that it has got."""
        found = {}
        for i in range(1, NUMBER + 1):
            with open(os.path.join(self.folder, str(i)), encoding="utf-8") as f:
                found[f"crowd-{i}"] = [json.loads(line) for line in f.read().splitlines() if '"notification"' in line]
        return found

    def story(self, client):
        with open(os.path.join(self.folder, client.removeprefix("crowd-")), encoding="utf-8") as f:
            return f.read()

    @staticmethod
    def at():
        """By node: the clients that have registered for its addresses and wait for news; those of the crowd."""
        found = {node: set() for node in NODES}
        for record in ask("n1", "list", "--client-computer-name", "crowd-*"):
            if record["state"] == WAITS and record["node"] is not None:
                found[record["node"]].add(record["client"])
        return found

    def complete(self):
        """By node, when all are there, each once."""
        at = self.at()
        together = set().union(*at.values())
        return at if len(together) == NUMBER == sum(map(len, at.values())) else None

    def settled(self, what):
        try:
            return wait_for(what, self.complete, 60)
        except Exception:
            check(False, f"{what}: { {node: len(who) for node, who in self.at().items()} }")


def even(at, nodes):
    sizes = [len(at[node]) for node in nodes]
    check(max(sizes) - min(sizes) <= 1, f"not even: { {node: len(who) for node, who in at.items()} }")
    return ", ".join(f"{node} {len(who)}" for node, who in at.items())


def all_register(crowd):
    at = crowd.settled(f"{NUMBER} clients")
    check(len(at[crowd.home]) == NUMBER, f"not all are on {crowd.home}")


def goes_to(crowd, event, nodes):
    """CLIENT_MOVE to addresses of one of these nodes."""
    described("watch", event)
    to = {address["address"] for address in event["addresses"]} if event["type"] == "CLIENT_MOVE" else set()
    check(to and any(to <= set(places_now) for places_now in (crowd.there[n] for n in nodes)), f"{event}")


def drained(crowd):
    """From the node itself: its own witness has none of these registrations."""
    crowd.there = places()
    others = [node for node in NODES if node != crowd.home]
    check(all(r["witness"] != crowd.home for r in ask(crowd.home, "list")), f"{crowd.home}'s witness has some")
    plan = ask(crowd.home, "drain", crowd.home, "--dry-run")
    check(plan["total"] == NUMBER and len(crowd.at()[crowd.home]) == NUMBER, f"{plan['results']}")
    start = now()
    done = ask(crowd.home, "drain", crowd.home)
    took = now() - start
    check(done["left"] == [] and done["total"] == NUMBER and set(done["results"]) <= {"told", "queued"}, f"{done['results']}")
    check(not any(record["node"] == crowd.home for record in ask("n1", "list")), f"there are clients on {crowd.home}")
    at = crowd.settled("all to be on other nodes")
    for client, events in crowd.told().items():
        check(len(events) == 1, f"{client} was told {events}")
        goes_to(crowd, events[0], others)
    check(not at[crowd.home], f"{crowd.home} has {len(at[crowd.home])}")
    for node in NODES:
        check([row["name"] for row in ask(node, "nodes") if row["drained"]] == [crowd.home], f"{node}: who is drained")
    return f"empty after {took:.1f} s: {even(at, others)}"


def rebalanced(crowd):
    """First the plan, which changes nothing; then as few as it takes."""
    ask("n2", "undrain", crowd.home)
    wait_for("its end", lambda: not any(row["drained"] for node in NODES for row in ask(node, "nodes")))
    before, told = crowd.at(), crowd.told()
    plan = ask("n1", "rebalance", "--dry-run")
    check("CLIENT " in ctl("n1", "rebalance", "--dry-run"), "no table")
    check({r["to"] for r in plan["clients"]} == {crowd.home} and plan["total"] in (NUMBER // 3, NUMBER // 3 + 1), f"{plan['results']}")
    check(crowd.at() == before and crowd.told() == told, "the plan has changed something")
    done = ask("n1", "rebalance", "--rate", "100")
    check(done["total"] == plan["total"] and set(done["results"]) <= {"told", "queued"}, f"{done['results']}")
    moved = {record["client"] for record in done["clients"]}
    wait_for(f"them on {crowd.home}", lambda: crowd.at()[crowd.home] == moved, 60)
    at = crowd.settled("all to wait")
    for client, events in crowd.told().items():
        check(len(events) == len(told[client]) + (client in moved), f"{client} was told {events}")
    check(ask("n1", "rebalance")["total"] == 0, "that was not enough")
    return f"{len(moved)} moved: {even(at, NODES)}"


def leaves_while_drained(crowd, leave):
    """The address of another node leaves: clients go to the third, and nobody to the one that is drained."""
    leaving, third = [node for node in NODES if node != crowd.home]
    ask(third, "drain", crowd.home)
    at, told = crowd.settled("all to be on the others"), crowd.told()
    check(not at[crowd.home], f"{len(at[crowd.home])} on {crowd.home}")
    crowd.there = places()
    leave(leaving)
    try:
        wait_for(f"its clients on {third}", lambda: at[leaving] <= crowd.at()[third], 60)
    except Exception:
        late = sorted(at[leaving] - crowd.at()[third])
        check(False, f"{len(late)} of {len(at[leaving])} did not come: {late[0]}\n" + crowd.story(late[0]))
    sent = 0
    for client, events in crowd.told().items():
        for event in events[len(told[client]):]:
            if event["type"] == "CLIENT_MOVE":
                goes_to(crowd, event, [third])
                sent += 1
    check(sent == len(at[leaving]), f"{sent} of {len(at[leaving])} were sent")
    return f"{sent} of {leaving} were sent to {third}, none to {crowd.home}"


def nothing_left(node):
    """Registrations whose clients' connections were of an address that has gone take TCP's time to end."""
    ask("n2", "undrain", node)
    if records():
        ask("n2", "force-unregister", "--all")
    wait_for("an empty list", lambda: not any(records(n) for n in NODES))


def drains(tap, home, leave, undo):
    """The cases. @param leave have a node's addresses leave it, wherever to; undo takes that back"""
    node = home()
    other = next(n for n in NODES if n != node)  # the one that leaves_while_drained() takes
    with Crowd(node) as crowd:
        tap.case(f"{NUMBER} clients watch an address of {node}", all_register, crowd)
        tap.case("drain: the node has none any more, the others have as many as each other, none is lost", drained, crowd)
        tap.case("rebalance: as few as it takes", rebalanced, crowd)
        tap.case("a planned move sends nobody to a drained node", leaves_while_drained, crowd, leave)
    undo(other)
    tap.case("undrain and force-unregister leave nothing behind", nothing_left, node)
