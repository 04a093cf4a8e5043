# SPDX-License-Identifier: GPL-3.0-or-later
"""Text of the configuration that is not UTF-8, which JSON cannot have: it is escaped, and nothing is missing."""
import os

import pytest

import ctlschema
from conftest import BUILD, MAP

WORD = "f\udce4ile"  # as an argument: the byte e4


@pytest.fixture
def latin(start_daemon, tmp_path):
    """A daemon with such paths, and such a net name."""
    folder = os.path.join(tmp_path, WORD)
    os.mkdir(folder)
    with open(os.path.join(folder, "map"), "w", encoding="utf-8") as f:
        f.write(MAP)
    os.symlink(os.path.join(BUILD, "witness-tickle"), os.path.join(folder, "agent"))
    return start_daemon({"tickle.enabled": "yes", "tickle.agent": os.path.join(folder, "agent"), "static.map": os.path.join(folder, "map"), "witness.net_names": f"FS {WORD}",
                         "global.blackbox_dir": folder})


def test_it_is_escaped(latin):
    status = latin.json("status")
    assert not ctlschema.faults("status", status)
    assert status["net_names"] == ["FS", r"f\xe4ile"]
    assert status["tickle"]["agent"]["path"].endswith(r"/f\xe4ile/agent")
    assert status["cluster"]["backend_status"]["map"].endswith(r"/f\xe4ile/map")
    assert r"/f\xe4ile/blackbox." in latin.json("blackbox")["file"]


def test_problems_are_told(latin):
    """The static backend names the file that it cannot read."""
    latin.ctl("static", "quorum", "no")
    path = next(word for word in latin.argv if word.startswith("static.map=")).partition("=")[2]
    with open(path, "w", encoding="utf-8") as f:
        f.write("[node\n")
    done = latin.ctl("static", "quorum", "yes", check=False)
    assert done.returncode == 1 and "xe4ile" in done.stderr, done
