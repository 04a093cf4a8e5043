# SPDX-License-Identifier: GPL-3.0-or-later
"""Samba's rpcclient as a client of version 2, which may have registered for a share."""
import re

from labtest import CREDENTIALS, DOMAIN, NETNAME, RpcClient, check


class RpcExClient(RpcClient):
    """Registered once, by RegisterEx, with an AsyncNotify under way."""

    def __init__(self, witness, ip, share=None, net_name=NETNAME, name="lab"):
        super().__init__(f"ncacn_ip_tcp:{witness}.{DOMAIN}[sign]", "-U", CREDENTIALS)
        self.handle = self.register(f"RegisterEx -2 -n {net_name} -i {ip} -c {name} -t 120"
                                    + (f" -s '{share}'" if share else ""))
        self.place = self.mark()
        self.ask()

    def ask(self):
        self.send(f"AsyncNotify {self.handle}")

    def told(self, kind, *addresses, timeout=40):
        """What is told next; then asks again."""
        _, match = self.wait(r"^(.*) with \d+ messages$|result was (\w+)", timeout, self.place)
        self.place = self.found
        check(match.group(1) == kind, f"{match.group(0)} instead of {kind}:\n{self.text()}")
        for address in addresses:
            _, match = self.wait(r"Flags 0x[0-9a-f]+ (\S+)|^(\S+) ->", timeout, self.place)
            self.place = self.found
            check((match.group(1) or match.group(2)) == address,
                  f"{match.group(0)} instead of {address}:\n{self.text()}")
        self.ask()

    def gone_and_back(self):
        """Told that the address goes and comes, by one notification or two, and of nothing else."""
        self.told("Resource change")
        _, match = self.wait(r"-> (Available|Unavailable)|^(Client) move", 5, self.place)
        check(match.group(1) == "Unavailable", self.text())
        # On a busy machine its registration may have ended by then, for it to register again.
        _, match = self.wait(r"-> Available|^Client move|WERR_NOT_FOUND", 40, self.found)
        check("Client" not in match.group(0), self.text())

    def quiet(self):
        """Nothing else was told; what was told something before has to register again."""
        said = self.text(self.place)
        check(" with " not in said and not re.search("result was WERR_(?!NOT_FOUND)", said), said)
