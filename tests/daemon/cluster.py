# SPDX-License-Identifier: GPL-3.0-or-later
"""Three witnessd's on one map that play the nodes of a cluster."""
import contextlib
import os

from conftest import NODES, Daemon
from ports import free_port


class Nodes:
    """Each listens on the address of its node, net.1 to net.3; n1 has net.9 as well, which can move."""

    def __init__(self, folder, net, options=()):
        self.map = os.path.join(folder, "cluster.map")
        with open(self.map, "w", encoding="utf-8") as f:
            f.write(NODES)
            for i in (1, 2, 3):
                f.write(f"[address {net}.{i}]\nnode = n{i}\ngroup = fs{i}\n")
            f.write(f"[address {net}.9]\nnode = n1\ngroup = moving\n")
        self.epm_port = free_port()
        self.nodes = {}
        with contextlib.ExitStack() as stack:  # whatever happens, those that run are ended
            for i in (1, 2, 3):
                listen = f"{net}.{i}" if i > 1 else f"{net}.1 {net}.9"
                node = Daemon({"static.map": self.map, "rpc.epmapper_port": self.epm_port, "rpc.listen": listen,
                               "witness.reregister_delay": "1", **dict(options)}, node=f"n{i}", addr=f"{net}.{i}")
                stack.callback(node.stop)
                self.nodes[f"n{i}"] = node.start()
            self.started = stack.pop_all()

    def stop(self):
        self.started.close()
