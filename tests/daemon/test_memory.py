# SPDX-License-Identifier: GPL-3.0-or-later
"""witnessctl memory: what clients cost is there while they are, and gone when they have gone."""
import time

CLIENTS = 5


def idle(daemon):
    """When nobody is connected any more."""
    deadline = time.monotonic() + 20
    while True:
        status = daemon.json("status")
        if status["rpc"]["stats"]["connections"] == 0 and status["witness"]["registrations"] == 0:
            return daemon.json("memory")
        assert time.monotonic() < deadline, status["rpc"]
        time.sleep(0.05)


def serve(daemon):
    """With that many clients."""
    conns = [daemon.ntlm() for _ in range(CLIENTS)]
    for conn in conns:
        daemon.register(conn)
    busy = daemon.json("memory")
    for conn in conns:
        conn.close()
    return busy


def test_comes_back_when_clients_have_gone(start_daemon):
    daemon = start_daemon({})
    serve(daemon)
    before = idle(daemon)
    for _ in range(3):
        busy = serve(daemon)
        assert busy["blocks"] > before["blocks"] + 2 * CLIENTS and busy["bytes"] > before["bytes"], (before, busy)
        after = idle(daemon)
        assert after["blocks"] <= before["blocks"], (before, after)


def test_parts_are_named(start_daemon):
    daemon = start_daemon({})
    memory = daemon.json("memory")
    parts = {part["part"]: part["blocks"] for part in memory["parts"]}
    assert {"struct rpc_server", "struct swn_service", "struct cluster"} <= set(parts), parts
    assert sum(parts.values()) <= memory["blocks"]
    shown = daemon.ctl("memory").stdout.splitlines()
    assert shown[0].split() == ["PART", "BLOCKS", "BYTES"] and shown[-1].endswith("bytes in all"), shown
