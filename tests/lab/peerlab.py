# SPDX-License-Identifier: GPL-3.0-or-later
"""What the tests of the peers share, whatever the cluster manager: lists, clients, and the cases that take
no manager."""
import json
import os

from labtest import BUILD, RpcWatch, Watch, check, kill, lab, must, run, wait_for

NODES = ("n1", "n2", "n3")
VIP1, VIP2, VIP3 = "10.77.0.101", "10.77.0.102", "10.77.0.103"
WAITS = "requested notification"
CTL = os.path.join(BUILD, "witnessctl")


def ask(node, *args):
    return json.loads(must(node, CTL, "--json", *args))


def listed(node):
    """Who is listed on a node, as sorted (witness, client, state); None when nobody answers."""
    status, out = run(node, CTL, "--json", "list")
    if status != 0:
        return None
    return sorted((r["witness"], r["client"], r["state"]) for r in json.loads(out))


def agree(*expected, nodes=NODES, timeout=90):
    try:
        wait_for("one list", lambda: all(listed(n) == sorted(expected) for n in nodes), timeout)
    except Exception:
        seen = "\n".join(f"{n}: {listed(n)}" for n in nodes)
        check(False, f"expected everywhere {sorted(expected)}\n{seen}")


def complete(nodes=NODES):
    for node in nodes:
        status, out = run(node, CTL, "--json", "status")
        if status != 0:
            return False
        peers = json.loads(out)["cluster"]["peers"]["peers"]
        if sum(p["up"] and p["synced"] for p in peers) != len(nodes) - 1:
            return False
    return True


def together():
    wait_for("all witnesses together", complete, 90)


class Client:
    """A Watch, known to all nodes; unless told otherwise it resumes."""

    def __init__(self, name, vip=VIP1, resume=True):
        self.name = name
        self.watch = Watch(vip, "--client-name", name, *(["--resume"] if resume else []))
        self.witness = self.watch.registered()
        self.handle = None

    def __enter__(self):
        wait_for(f"{self.name} on every list", lambda: all(self.entry() in (listed(n) or [])
                                                          for n in NODES))
        self.handle = self.record()["handle"]
        return self

    def __exit__(self, *_):
        self.watch.stop()

    def entry(self, state=WAITS):
        return (self.witness, self.name, state)

    def record(self):
        return [r for r in ask("n1", "list") if r["client"] == self.name][0]

    def resumed(self):
        self.watch.event(lambda event: event["event"] == "resumed", 120)

    def same_registration(self):
        check(self.record()["handle"] == self.handle, "the client has another registration")
        check('"re-registering"' not in self.watch.text(), self.watch.text())


def one_list():
    with Client("one") as one, Client("two", VIP2) as two:
        agree(one.entry(), two.entry())
        for node in NODES:
            local = [r["client"] for r in ask(node, "list", "--local")]
            check(local == sorted(c.name for c in (one, two) if c.witness == node),
                  f"{node} lists as its own {local}")
    agree()


def from_any_node():
    with Client("ended") as client:
        done = ask(next(n for n in NODES if n != client.witness), "force-unregister", client.handle)
        check([c["witness"] for c in done["clients"]] == [client.witness], done)
        client.watch.event(lambda event: event["event"] == "re-registering")
        client.watch.registered()
    agree()


def death_of_a_witness():
    with Client("survivor") as client:
        kill(client.witness, "witnessd")
        others = [n for n in NODES if n != client.witness]
        agree(client.entry("witness gone"), nodes=others)
        lab("start", client.witness, "witnessd")
        client.resumed()
        agree(client.entry())
        client.same_registration()
        check('"notification"' not in client.watch.text(), client.watch.text())
    agree()


class Fixed(RpcWatch):
    """A client that reaches its witness by the node's own address, which does not leave: its connection
    outlives whatever happens to the cluster, and so must its registration."""

    def __init__(self, node, vip):
        super().__init__(node, vip)
        self.node = node
        self.first = self.handle

    def undisturbed(self):
        check(not self.told(), f"{self.node} told its client:\n{self.told()}")
        check(self.handle == self.first, "the client has another registration")
        for node in NODES:
            wait_for(f"it on {node}'s list", lambda n=node: [
                r["witness"] for r in ask(n, "list") if r["handle"] in self.first] == [self.node])


def goes_on(client):
    """The client has its registration, wherever it was taken over, and one only, on all lists."""
    client.same_registration()
    client.witness = client.record()["witness"]
    wait_for(f"{client.name} once on every list", lambda: all(
        [e for e in listed(n) or [] if e[1] == client.name] == [client.entry()] for n in NODES))
