# SPDX-License-Identifier: GPL-3.0-or-later
"""The schema of what witnessctl --json prints: it is strict, it knows every command, witnessctl(8) says the same, and
what the commands print is what it says. The labs' tests check the same of real clusters."""
import json
import os
import re

import jsonschema
import pytest

import ctlschema
from conftest import TOP, wait_for
from test_admin import client  # noqa: F401  pylint: disable=unused-import
from test_completion import commands
from test_peers import SERVER, cluster  # noqa: F401  pylint: disable=unused-import
from test_watch import watch_of  # noqa: F401  pylint: disable=unused-import

PRINT_TEXT = {"help", "version"}


def parts(node):
    """Every object of the schema."""
    if isinstance(node, dict):
        yield node
        node = list(node.values())
    if isinstance(node, list):
        for value in node:
            yield from parts(value)


def test_it_is_a_strict_schema():
    schema = ctlschema.schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    used = {part["$ref"] for part in parts(schema) if "$ref" in part}
    assert used == {f"#/$defs/{name}" for name in schema["$defs"] if not name[0].islower()}
    optional = set()
    for part in parts(schema["$defs"]):
        if part.get("type") == "object":
            closed = part["additionalProperties"] is False or "propertyNames" in part
            assert closed, part
            optional |= set(part.get("properties", ())) - set(part.get("required", ()))
        if part.get("type") == "array":
            assert "items" in part, part
    # of events, of what watch prints, of an interface without a name, of a probe without a logon, of a drain that is only planned,
    # of a blackbox without --node
    assert optional == {"address", "group", "name", "from", "to", "why", "share", "witness", "step", "reason", "interfaces",
                        "left", "node"}


def test_it_knows_every_command():
    assert ctlschema.commands() == sorted(set(commands()) - PRINT_TEXT)


# ---- witnessctl(8) ----

def keys(node, deep):
    """The keys that a definition has at its top, or those of its parts, too."""
    if "$ref" in node:
        return keys(ctlschema.definition(node["$ref"].rsplit("/", 1)[1]), deep)
    found = set(node.get("properties", {}))
    for choice in (*node.get("anyOf", ()), *node.get("oneOf", ())):
        found |= keys(choice, deep)
    if "items" in node:
        found |= keys(node["items"], deep)
    if deep:
        for value in node.get("properties", {}).values():
            found |= keys(value, deep)
    return found


def in_the_page():
    """The keys that the page's section on JSON names, by command."""
    with open(os.path.join(TOP, "docs", "witnessctl.8"), encoding="utf-8") as f:
        section = re.search(r"^\.Sh JSON$(.*?)^\.Sh ", f.read(), re.S | re.M).group(1)
    found = {}
    for head, text in re.findall(r"^\.It Cm (.*)$((?:\n(?!\.It |\.El).*)*)", section, re.M):
        words = {word for line in re.findall(r"^\.Ic (.*)$", text, re.M) for word in line.split() if word.isidentifier()}
        found.update({name: words for name in head.split(" , ")})
    return found


def test_the_page_says_the_same():
    page = in_the_page()
    assert sorted(page) == ctlschema.commands()
    page["drain"] |= page["client-move"]
    for name, words in page.items():
        described = ctlschema.definition(name)
        assert keys(described, deep=False) <= words, f"witnessctl(8) does not name all keys of {name}"
        assert words <= keys(described, deep=True), f"the schema does not know all keys of {name} that witnessctl(8) names"


# ---- what is printed ----

QUESTIONS = [
    ["ping"], ["status"], ["interfaces"], ["list"], ["nodes"], ["metrics"], ["memory"],
    ["log-level", "debug"], ["static", "show"], ["static", "node", "n3", "online"], ["static", "intent", "127.0.79.9", "n2"],
    ["undrain", "n1"], ["rebalance", "--dry-run"], ["drain", "n1", "--dry-run"],
    ["client-move", "--to-node", "n2", "--all", "--dry-run"], ["share-move", "--to-ip", "127.0.79.3", "--all", "--dry-run"],
    ["notify", "ip-change", "--address", SERVER, "--state", "available", "--all", "--dry-run"],
    ["force-response", '{"response": {"type": 2, "messages": []}}', "--all", "--dry-run"],
    ["force-unregister", "--all", "--dry-run"], ["leave", "127.0.79.1"], ["drain", "n1", "--wait", "20"],
]


def test_what_is_printed(cluster, client):  # noqa: F811
    watch, _, ctl = client
    for words in [["show", ctl.json("list")[0]["handle"]], *QUESTIONS]:
        printed = (cluster.nodes["n1"] if words[0] == "leave" else ctl).json(*words)
        assert not ctlschema.faults(words[0], printed), words
    wait_for(lambda: [e["state"] for e in ctl.json("list")] == ["requested notification"], "it waits again")
    handle = ctl.json("list")[0]["handle"]
    assert not ctlschema.faults("force-unregister", ctl.json("force-unregister", "--registration", handle))
    watch.wait("re-registering")
    watch.wait("registered")
    for line in watch.seen:
        assert not ctlschema.faults("watch", json.loads(line))
    events = [json.loads(line) for node in cluster.nodes.values() for line in node.ctl("--json", "events").stdout.splitlines()]
    assert "notification" in {event["event"] for event in events}
    assert all(not ctlschema.faults("events", event) for event in events)


@pytest.mark.parametrize("name, value", [
    ("ping", {"version": "0.1.0", "pid": "7"}), ("ping", {"version": "0.1.0", "pid": 7, "more": 1}), ("ping", {"pid": 7}),
    ("list", [{}]), ("list", {}), ("ctdb", {}), ("events", {"number": 1, "time": 1.5, "event": "nonsense"}),
    ("watch", {"event": "registered", "time": 1.5}),
])
def test_it_refuses_what_it_does_not_say(name, value):
    assert ctlschema.faults(name, value)
