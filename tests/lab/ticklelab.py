# SPDX-License-Identifier: GPL-3.0-or-later
"""What the tests and the benchmarks of tickles share: resources, servers and clients that hang."""
import os

from labtest import BUILD, Lines, lab, must, run

HERE = os.path.dirname(os.path.abspath(__file__))


def pcs(*words, node="n1"):
    return must(node, "pcs", *words, timeout=60)


def add_address(group, name, ip):
    prefix = "64" if ":" in ip else "24"
    pcs("resource", "create", name, "ocf:heartbeat:IPaddr2", f"ip={ip}", f"cidr_netmask={prefix}",
        "nic=eth0", "op", "monitor", "interval=5s", "--group", group)


def add_gate(group, name, ip, *parameters):
    pcs("resource", "create", name, "ocf:samba:tickle", f"ip={ip}", *parameters,
        f"witnessctl={BUILD}/witnessctl", f"agent={BUILD}/witness-tickle", "--group", group)


def delete_group(group, node="n2"):
    """Also when it never came to be."""
    run(node, "pcs", "resource", "delete", "--force", group, timeout=90)
    run(node, "crm_resource", "--wait", "--timeout=30s", timeout=40)


def boot(node):
    """After a power cut. Sockets without a process, which nobody answers, keep a network for minutes,
    cable and all."""
    run("hub", "ip", "link", "delete", f"to-{node}")
    lab("boot", node, timeout=120)


class Listener(Lines):
    """A server that accepts and says nothing, on IPv4 and IPv6 by one socket or on one address."""

    def __init__(self, node, port, *address):
        super().__init__(node, os.path.join(HERE, "listen.py"), port, *address)
        self.wait("^ready$")


class Stuck(Lines):
    """Clients that read, by name."""

    def __init__(self, **clients):
        super().__init__("client", os.path.join(HERE, "stuck.py"))
        for name, (address, port) in clients.items():
            self.begin(name, address, port)

    def begin(self, name, address, port, *manner):
        self.send(" ".join((name, address, port, *manner)))
        self.when(name, "connected")

    def when(self, name, what, timeout=60):
        return float(self.wait(rf"^(\S+) {name} {what}$", timeout)[1].group(1))

    def maybe(self, name, what):
        """When, or None if it has not said so."""
        return next((float(line.split()[0]) for _, line in list(self.lines)
                     if line.endswith(f" {name} {what}")), None)

    def said(self, name, what):
        return self.maybe(name, what) is not None
