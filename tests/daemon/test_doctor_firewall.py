# SPDX-License-Identifier: GPL-3.0-or-later
"""witnessctl doctor firewall: what it says of rules of nft and iptables is what a client meets."""
import json
import os
import select
import socket
import sys
import time

import pytest

from conftest import BUILD, TOP

sys.path.insert(0, os.path.join(TOP, "tests", "agents"))
from netns import Network  # noqa: E402

PORTS = (135, 49300)
V4, V6 = "10.9.0.1", "fd99::1"
ALL = {(a, p) for a in (V4, V6) for p in PORTS}


class Node:
    """A host with the two ports open, and a client beside it."""

    def __init__(self, network, folder):
        self.server, self.client = network.hosts["server"], network.hosts["client"]
        self.config = os.path.join(folder, "witnessd.conf")
        with open(self.config, "w", encoding="utf-8") as f:
            f.write(f"[rpc]\nport = {PORTS[1]}\n")
        self.sockets = [self.server.listen(family, address, port)
                        for port in PORTS for family, address in ((socket.AF_INET, V4), (socket.AF_INET6, V6))]

    def rules(self, text):
        """Rules from nothing: for nft, or lines of commands of iptables."""
        self.clear()
        if text.lstrip().startswith("ip"):
            for line in text.strip().splitlines():
                self.server.must("sh", "-c", line)
        else:
            self.server.must("nft", "-f", "-", input=text)

    def clear(self):
        self.server.must("nft", "flush", "ruleset")

    def doctor(self, status):
        got, out = self.server.run(os.path.join(BUILD, "witnessctl"), "--socket", "nobody", "--json", "doctor",
                                   "--config", self.config, "firewall")
        assert got == status, out
        return {r["subject"]: (r["verdict"], r["message"]) for r in json.loads(out)["checks"]}

    def reached(self, expected):
        """Which (address, port) of all four let the client connect: those expected are waited for."""
        def connect():
            tries = {}
            for address, port in ALL:
                sock = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET)
                sock.setblocking(False)
                sock.connect_ex((address, port))
                tries[sock] = (address, port)
            done, deadline = set(), time.monotonic() + 10
            while time.monotonic() < deadline and tries:
                _, ready, _ = select.select([], list(tries), [], 0.05)
                for sock in ready:
                    if sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) == 0:
                        done.add(tries[sock])
                    del tries[sock]
                    sock.close()
                if done >= expected:
                    deadline = min(deadline, time.monotonic() + 0.2)  # for the others
            for sock in tries:
                sock.close()
            return done
        return self.client.inside(connect)


@pytest.fixture(scope="module")
def node(tmp_path_factory):
    with Network("server", "client") as network:
        host = Node(network, str(tmp_path_factory.mktemp("firewall")))
        yield host
        for sock in host.sockets:
            sock.close()


def subject(address, port):
    return f"TCP {port}, {'IPv6' if ':' in address else 'IPv4'}"


def agree(node, closed):
    """The doctor and a client are of one opinion: these (address, port) are closed, the others open."""
    results = node.doctor(1 if closed else 0)
    assert len(results) == 4
    for address in (V4, V6):
        for port in PORTS:
            verdict, message = results[subject(address, port)]
            assert verdict == ("fail" if (address, port) in closed else "ok"), (address, port, message)
    assert node.reached(ALL - closed) == ALL - closed
    return results


def nft(lines, policy="drop", family="inet", more=""):
    return (f"table {family} filter {{\n{more}\nchain input {{\ntype filter hook input priority 0; "
            f"policy {policy};\n{lines}\n}}\n}}\n")


ND = "icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert } accept\n"
BASE = 'iif lo accept\nct state established,related accept\nct state invalid drop\n' + ND


@pytest.mark.parametrize("rules, closed", [
    ("table inet nothing { }", set()),
    (nft(BASE), ALL),
    (nft(BASE + "tcp dport { 135, 49152-65535 } accept"), set()),
    (nft(BASE + "tcp dport 135 accept"), {(V4, 49300), (V6, 49300)}),
    (nft(BASE + "tcp dport @ports counter accept",
         more="set ports { type inet_service; flags interval; elements = { 135, 49000-50000 } }"), set()),
    (nft("tcp dport 135 drop", "accept"), {(V4, 135), (V6, 135)}),
    (nft("tcp dport 135 reject with tcp reset", "accept"), {(V4, 135), (V6, 135)}),
    (nft("udp dport 135 drop\nudp dport != 53 drop\nicmp type echo-request drop", "accept"), set()),
    (nft("tcp dport vmap { 135 : accept, 49300 : drop }", "accept"), {(V4, 49300), (V6, 49300)}),
    (nft("tcp dport >= 1024 counter log prefix \"x\" drop", "accept"), {(V4, 49300), (V6, 49300)}),
    (nft("meta nfproto ipv6 meta l4proto tcp th dport 135 drop", "accept"), {(V6, 135)}),
    (nft("ip protocol tcp tcp dport 135 drop", "accept"), {(V4, 135)}),
    (nft("tcp dport 135 drop", "accept", "ip"), {(V4, 135)}),
    (nft("tcp dport 135 drop", "accept", "ip6"), {(V6, 135)}),
    (nft("tcp flags syn / fin,syn,rst,ack tcp dport 135 drop", "accept"), {(V4, 135), (V6, 135)}),
    (nft(BASE + "jump more\ntcp dport 135 accept", more="chain more { tcp dport 49300 goto last\nreturn\n }\n"
         "chain last { accept\n }").replace("chain more {", "chain last { }\nchain more {", 1), set()),
    (nft(BASE + "ct state new tcp dport != 135 accept"), {(V4, 135), (V6, 135)}),
    (nft(BASE + "ct state vmap { new : jump news, established : accept }", more="chain news { tcp dport 135 accept\n}"),
     {(V4, 49300), (V6, 49300)}),
    (nft('iifname != "lo" tcp dport 135 drop', "accept"), {(V4, 135), (V6, 135)}),
    (nft("fib daddr type local tcp dport 135 drop", "accept"), {(V4, 135), (V6, 135)}),
    ("table inet early { chain pre { type filter hook prerouting priority -300; tcp dport 135 drop\n}\n}",
     {(V4, 135), (V6, 135)})])
def test_nft(node, rules, closed):
    node.rules(rules)
    agree(node, closed)


IPTABLES = """\
iptables -A INPUT -i lo -j ACCEPT
iptables -A INPUT -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT
"""


@pytest.mark.parametrize("rules, closed", [
    (IPTABLES, set()),
    (IPTABLES + "iptables -P INPUT DROP", {(V4, 135), (V4, 49300)}),
    (IPTABLES + "iptables -A INPUT -p tcp -m multiport --dports 135,49152:65535 -m comment --comment 'a \"b' "
     "-j ACCEPT\niptables -P INPUT DROP", set()),
    (IPTABLES + "iptables -A INPUT -p tcp --dport 135 -j REJECT --reject-with tcp-reset", {(V4, 135)}),
    (IPTABLES + "iptables -A INPUT -p udp --dport 135 -j DROP", set()),
    (IPTABLES + "iptables -N X\niptables -A INPUT -p tcp ! --dport 1:1000 -g X\n"
     "iptables -A X -m state --state NEW -p tcp --syn -j LOG\niptables -A X -j DROP", {(V4, 49300)}),
    (IPTABLES + "iptables -N X\niptables -A INPUT -j X\niptables -A X -m addrtype --dst-type LOCAL -j RETURN\n"
     "iptables -A X -j DROP\niptables -A INPUT -p tcp --dport 135 -j DROP", {(V4, 135)}),
    ("ip6tables -A INPUT -p tcp --dport 135 -j DROP\niptables -A INPUT -j ACCEPT", {(V6, 135)}),
    ("iptables -t raw -A PREROUTING -p tcp --dport 135 -j DROP", {(V4, 135)}),
    ("iptables -t nat -A PREROUTING -p tcp --dport 1 -j REDIRECT --to-ports 2", set())])
def test_iptables(node, rules, closed):
    node.rules(rules)
    agree(node, closed)


@pytest.mark.parametrize("rules", [
    nft(BASE + "ip saddr 10.0.0.0/8 tcp dport 135 accept\nip6 saddr fd00::/8 tcp dport 135 accept"),
    nft("tcp dport 135 ip saddr != 10.0.0.0/8 drop\nip6 saddr != fd00::/8 tcp dport 135 drop", "accept"),
    nft("tcp dport 135 limit rate over 100/second drop", "accept"),
    "iptables -A INPUT -p tcp ! -s 10.0.0.0/8 --dport 135 -j DROP\nip6tables -A INPUT -i eth7 -p tcp --dport 135 -j DROP"])
def test_some_clients_only(node, rules):
    """A client that is let in, where others are not: that is a warning."""
    node.rules(rules)
    results = node.doctor(1 if BASE in rules else 0)
    reached = node.reached({(V4, 135), (V6, 135)})
    for address in (V4, V6):
        verdict, message = results[subject(address, 135)]
        assert verdict == "warn" and "only some clients" in message
        assert (address, 135) in reached


def test_the_rule_is_named(node):
    node.rules(nft("tcp dport 135 drop", "accept"))
    _, message = node.doctor(1)[subject(V4, 135)]
    handle = message.split("handle ")[1].split()[0]
    listed = node.server.must("nft", "-a", "list", "chain", "inet", "filter", "input")
    assert f"tcp dport 135 drop # handle {handle}" in listed
    node.rules("iptables -A INPUT -p tcp --dport 135 -j DROP")
    assert "chain ip filter INPUT" in node.doctor(1)[subject(V4, 135)][1]
    node.rules("iptables -A INPUT -p tcp -m multiport --dports 7,135 -j DROP")
    assert "-A INPUT -p tcp -m multiport --dports 7,135 -j DROP" in node.doctor(1)[subject(V4, 135)][1]
    node.rules(nft(BASE))
    assert "policy of the chain inet filter input" in node.doctor(1)[subject(V4, 135)][1]


def test_rules_that_cannot_be_read(node):
    _, out = node.server.run("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--bounding-set=-all",
                             os.path.join(BUILD, "witnessctl"), "--socket", "nobody", "--json", "doctor", "firewall")
    result, = json.loads(out)["checks"]
    assert result["verdict"] == "warn" and "root" in result["remedy"]
