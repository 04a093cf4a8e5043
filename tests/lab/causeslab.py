# SPDX-License-Identifier: GPL-3.0-or-later
"""What the tests of planned moves share: two addresses of n1, a plain one, whose move only the CIB shows, and an IPv6
one in a group that ends in a gate (ocf:samba:tickle); their clients; and what is done to both."""
import json
import os
import re
from contextlib import ExitStack, contextmanager

from labtest import BUILD, CibWatch, RpcWatch, Watch, check, must, wait_for
from ticklelab import add_address, add_gate, delete_group, pcs

PLAIN, GATED = "10.77.0.111", "fd77::77:112"
HOME = "n1"
STILL_REGISTERED_S = 3  # 5 s after a move the witness ends the registration, and the client is with its new address


def available(node="n2"):
    """The addresses by node, as the witness of a node knows them."""
    status = json.loads(must(node, os.path.join(BUILD, "witnessctl"), "--json", "status"))
    nodes = {}
    for address in status["cluster"]["addresses"]:
        if address["state"] == "available":
            nodes.setdefault(address["node"], set()).add(address["address"])
    return nodes


def expanded(ip):
    """As rpcclient prints it."""
    if ":" not in ip:
        return ip
    head, _, tail = ip.partition("::")
    parts = head.split(":"), [part for part in tail.split(":") if part]
    zeros = ["0"] * (8 - len(parts[0]) - len(parts[1]))
    return ":".join(part.zfill(4) for part in parts[0] + zeros + parts[1])


class Clients:
    """Two of an address: one that behaves as Windows does, and Samba's rpcclient."""

    def __init__(self, ip, resource, gated, start):
        self.ip, self.gated = ip, gated
        self.known = available()
        self.cib = start(CibWatch("n3", resource))
        self.watch = start(Watch(ip))
        self.witness = self.watch.registered()
        check(self.witness != HOME, f"the witness of {ip} is on its own node")
        self.rpc = start(RpcWatch("n2" if self.witness == "n3" else "n3", ip))

    def addresses(self, to):
        """Where clients may be sent: all that the named node has, or any other one."""
        later = available()
        nodes = [to] if to else [node for node in self.known if node != HOME]
        return [self.known.get(node, set()) | later.get(node, set()) for node in nodes]

    def moved(self, to):
        """When both are sent away."""
        choice = self.addresses(to)
        event = self.watch.event(lambda e: "CLIENT_MOVE" in e.get("type", ""))
        told = {address["address"] for address in event["addresses"]}
        check(any(told and told <= node for node in choice), f"{self.ip} to {told}, not of {choice}")
        at_rpc, _ = self.rpc.wait(r"^Client move with 1 messages$", 30, self.rpc.place)
        _, match = self.rpc.wait(r"^Flags 0x\S+ (\S+) Online", 30, self.rpc.found)
        own = {expanded(ip) for node in choice for ip in node}
        check(match.group(1) in own, f"rpcclient of {self.ip} to {match.group(1)}, not {own}")
        return max(event["time"], at_rpc)

    def left(self, to, comes_back=True):
        """Sent away, told of the end, and of the return. How much ahead of the end."""
        moved = self.moved(to)
        gone = self.cib.event("stop", HOME)
        unavailable = self.rpc.notified("unavailable")
        check(moved < unavailable, f"{self.ip}: told of the end before the move")
        if gone - moved < STILL_REGISTERED_S:
            self.watch.notified("unavailable")
        if self.gated:
            check(moved < gone, f"{self.ip}: told {moved - gone:.3f} s after it was gone")
        if comes_back:
            self.rpc.notified("available")
        return f"{'gated' if self.gated else 'plain'} {(gone - moved) * 1000:.0f} ms before the end"

    def failed_over(self):
        """Nowhere else to go: told of the end and of the return only."""
        told = [client.notified("unavailable") for client in (self.watch, self.rpc)]
        gone = self.cib.event("stop", HOME)
        if self.gated:
            check(max(told) < gone, f"{self.ip}: told {max(told) - gone:.3f} s after it was gone")
        back = [client.notified("available") for client in (self.watch, self.rpc)]
        up = self.cib.event("start", "n[23]")
        check("move" not in self.rpc.text().lower(), self.rpc.text())
        return (f"{'gated' if self.gated else 'plain'} {(max(told) - gone) * 1000:.0f} ms after the end, "
                f"{(max(back) - up) * 1000:.0f} ms after the return")

    def untouched(self):
        said = self.rpc.told() + self.watch.text()
        check(not re.search(r"(?i)client.move|-> |RESOURCE_CHANGE", said), f"clients of {self.ip} were told: {said}")


@contextmanager
def clients_of_both():
    with ExitStack() as stack:
        yield (Clients(PLAIN, "plain", False, stack.enter_context),
               Clients(GATED, "gated", True, stack.enter_context))


def at_home(cluster):
    cluster.settle()
    for resource in ("plain", "gated"):
        wait_for(f"{resource} at home", lambda r=resource: cluster.owner(r) == HOME, 40)
    # Whoever registers sooner with one that does not know yet is rightly told that the address is down.
    for node in ("n1", "n2", "n3"):
        wait_for(f"the witness of {node} to know them there",
                 lambda n=node: {PLAIN, GATED} <= available(n).get(HOME, set()), 40)


@contextmanager
def both_addresses(cluster):
    """They exist, and are at home."""
    try:
        pcs("resource", "create", "plain", "ocf:heartbeat:IPaddr2", f"ip={PLAIN}", "cidr_netmask=24", "nic=eth0")
        add_address("share", "gated", GATED)
        add_gate("share", "gate", GATED)
        for resource in ("plain", "share"):
            pcs("constraint", "location", resource, "prefers", f"{HOME}=10")
        at_home(cluster)
        yield
    finally:
        for resource in ("share", "plain"):
            delete_group(resource)


class Cause:
    """What is done, where the plain and the gated address go, and how it is undone."""

    def __init__(self, name, act, undo, to=(None, None), comes_back=True):
        self.name, self.act, self.undo = name, act, undo
        self.to, self.comes_back = to, comes_back

    def run(self):
        with clients_of_both() as both_clients:
            self.act()
            return "; ".join(clients.left(to, self.comes_back)
                             for clients, to in zip(both_clients, self.to))

    def restore(self, cluster):
        self.undo()
        at_home(cluster)


def crm_resource(*words):
    must("n2", "crm_resource", *words)


def move(node):
    def act():
        for resource in ("plain", "share"):
            crm_resource("--move", "--resource", resource, "--node", node)
    return act


def clear(*resources):
    def undo():
        for resource in resources:
            crm_resource("--clear", "--resource", resource)
    return undo
