# SPDX-License-Identifier: GPL-3.0-or-later
"""Which node had which address when, as the kernels say; and what the clients were told, judged by that."""
import ipaddress
import json
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../daemon"))
import swn  # noqa: E402  pylint: disable=wrong-import-position
from labtest import PASSWORD, USER, Addresses, Lines, check, must, now, wait_for  # noqa: E402

HERE = os.path.dirname(os.path.abspath(__file__))
SLACK_S = 1.5   # between a kernel's stamp and a client's, on a busy machine
AFTER_S = 15    # a node that is lost keeps its address in its own kernel until somebody else has it
ONLINE = 8


class Truth:
    """Where the addresses are, from now on."""

    def __init__(self, stack, nodes):
        self.kernels = {node: stack.enter_context(Addresses(node)) for node in nodes}
        self.began = now()
        self.first = {node: must(node, "ip", "-o", "address") for node in nodes}
        self.away = []  # [node, from, to]: nobody reaches what it has
        self.doubted = {}

    def doubt(self, node):
        """From now on its cluster may hold it for dead, and tell that its addresses are lost."""
        self.doubted[node] = now()

    def cut(self, node):
        self.away.append([node, now(), None])

    def joined(self, node):
        for cut in self.away:
            if cut[0] == node and cut[2] is None:
                cut[2] = now()

    def has(self, node, ip, when):
        has = f" {ip}/" in self.first[node]
        for stamp, there in self.kernels[node].history(ip):
            if stamp <= when:
                has = there
        return has

    def _away(self, node, when):
        return any(n == node and start <= when and (end is None or when < end)
                   for n, start, end in self.away)

    def times(self, ip):
        """When anything happened to it."""
        stamps = {stamp for kernel in self.kernels.values() for stamp, _ in kernel.history(ip)}
        for node, start, end in self.away:
            stamps |= {s for s in (start, end) if s is not None and self.has(node, ip, start)}
        return sorted(stamp for stamp in stamps if stamp > self.began)

    def holders(self, ip, when):
        return {n for n in self.kernels if self.has(n, ip, when) and not self._away(n, when)}

    def available(self, ip, when):
        """At that time, as exactly as it is known."""
        looks = [when - SLACK_S, when, when + SLACK_S]
        looks += [t for t in self.times(ip) if looks[0] <= t <= looks[2]]
        return any(self.holders(ip, look) for look in looks)

    def disturbed(self, ip, since, until):
        return any(since <= stamp <= until for stamp in self.times(ip)) or \
            any(start <= until and self.has(node, ip, start) for node, start in self.doubted.items())

    def losses(self, ip, since):
        """Each time when those who had it had it no more, and nobody else: (time, they)."""
        looks = ((stamp, self.holders(ip, stamp - 0.001)) for stamp in self.times(ip) if stamp >= since)
        return [(stamp, had) for stamp, had in looks if had and not self.holders(ip, stamp + 0.001)]


class Chorus(Lines):
    """tests/lab/faults/chorus.py, and a judgement of what it heard."""

    def __init__(self, nodes, vips, port):
        self.nodes, self.vips = nodes, vips
        super().__init__("client", os.path.join(HERE, "chorus.py"), str(port), f"{USER}:{PASSWORD}",
                         *[f"{node}={addr}" for node, addr in nodes.items()], *vips)

    def events(self, what=None, **fits):
        with self.news:
            lines = [line for _, line in self.lines]
        events = [json.loads(line) for line in lines if line.startswith("{")]
        return [e for e in events if (what is None or e["what"] in what)
                and all(e[key] == value for key, value in fits.items())]

    def voices(self):
        """Each client's own events: (node, address, events)."""
        mine = {(node, vip): [] for node in self.nodes for vip in self.vips}
        for event in self.events(("registered", "told", "ended", "lost", "refused")):
            mine[event["node"], event["vip"]].append(event)
        return [(node, vip, events) for (node, vip), events in mine.items()]

    def silent(self):
        """Clients that are not registered now."""
        return [f"{node}'s client of {vip}: {events[-1] if events else 'nothing'}"
                for node, vip, events in self.voices()
                if not events or events[-1]["what"] != "registered"]

    def all_registered(self, timeout):
        try:
            wait_for("all clients", lambda: not self.silent(), timeout)
        except Exception:
            check(False, f"after {timeout} s there are clients without a registration:\n" +
                  "\n".join(self.silent()) + f"\n{self.noise()}")

    def noise(self):
        """What it said that is no event."""
        with self.news:
            return "\n".join(line for _, line in self.lines if not line.startswith("{"))

    def lies(self, truth, since):
        """What was told, and is not true."""
        for node, vip, events in self.voices():
            for event in events:
                if event["what"] != "told" or event["time"] < since:
                    continue
                for value, name in event["records"]:
                    lie = self._lie(truth, vip, event, value, name, since)
                    if lie:
                        yield f"{node} told a client of {vip} at {event['time']:.3f} that {lie}"

    @staticmethod
    def _lie(truth, vip, event, value, name, since):
        when = event["time"]
        if event["type"] == swn.CLIENT_MOVE:
            if ipaddress.ip_address(name) == ipaddress.ip_address(vip):
                return "it should leave the address for that address"
            return not (value & ONLINE and truth.available(name, when)) and f"it should go to {name}, which is not there"
        if event["type"] != swn.RESOURCE_CHANGE:
            return f"something of type {event['type']} has happened"
        if name != vip:
            return f"{name} has changed"
        if value == swn.AVAILABLE:
            return not truth.available(name, when) and "it is available, which nobody has"
        return not truth.disturbed(name, since, when + AFTER_S) and "it is not available, to which nothing has happened"

    def uninformed(self, truth, since):
        """Clients that were registered on an address that was lost, and know nothing."""
        for node, vip, events in self.voices():
            for loss, had in truth.losses(vip, since):
                before = [e for e in events if e["time"] <= loss]
                if not before or before[-1]["what"] != "registered" and not self._back(before[-1]):
                    continue
                if not any(self._bad_news(e) for e in events if e["time"] > loss) and \
                        not self._unseen(truth, node, vip, loss, had):
                    yield f"{node}'s client of {vip} does not know of its loss at {loss:.3f}: {events[-1]}"

    def _unseen(self, truth, node, vip, loss, had):
        """What was lost and came back while the witness was away has left no trace (docs/architecture.md)."""
        return any(start - SLACK_S <= loss <= (end or now()) and had & truth.holders(vip, (end or now()) + SLACK_S)
                   for start, end in self.outages(node, 0))

    @staticmethod
    def _back(event):
        return event["what"] == "told" and event["type"] == swn.RESOURCE_CHANGE and \
            event["records"][-1][0] == swn.AVAILABLE

    def _bad_news(self, event):
        return event["what"] in ("ended", "lost") or (event["what"] == "told" and not self._back(event))

    def outages(self, node, since):
        """(from, to) when its witness did not serve; to is None if it still does not."""
        found, start = [], None
        for event in self.events(("up", "down"), node=node):
            if event["what"] == "down":
                start = event["since"]
            elif start is not None:
                found.append((start, event["time"]))
                start = None
        if start is not None:
            found.append((start, None))
        return [outage for outage in found if outage[1] is None or outage[1] >= since]

    def serves(self, node):
        return not any(end is None for _, end in self.outages(node, 0))
