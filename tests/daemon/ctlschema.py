# SPDX-License-Identifier: GPL-3.0-or-later
"""docs/witnessctl.schema.json, and whether a value is what it promises."""
import functools
import json
import os

import jsonschema

PATH = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../docs/witnessctl.schema.json")


@functools.lru_cache(maxsize=None)
def schema():
    with open(PATH, encoding="utf-8") as f:
        return json.load(f)


def definition(name):
    """A definition, or what it refers to."""
    found = schema()["$defs"][name]
    while "$ref" in found:
        found = schema()["$defs"][found["$ref"].rsplit("/", 1)[1]]
    return found


def commands():
    """The commands whose JSON is described."""
    return sorted(name for name in schema()["$defs"] if name[0].islower())


@functools.lru_cache(maxsize=None)
def validator(command):
    assert command in commands(), f"the schema says nothing of witnessctl {command}"
    return jsonschema.Draft202012Validator({"$ref": f"#/$defs/{command}", "$defs": schema()["$defs"]})


def faults(command, value):
    """What is wrong with what a command has printed, a line each; empty when nothing is."""
    return "\n".join(f"witnessctl {command}: {error.json_path}: {error.message}"
                     for error in validator(command).iter_errors(value))
