# SPDX-License-Identifier: GPL-3.0-or-later
"""Completion of witnessctl by bash, as readline asks for it."""
import os
import re
import shlex
import subprocess

import pytest

from conftest import BUILD, TOP, wait_for
from test_watch import Cluster, watch_of  # noqa: F401  # pylint: disable=unused-import

COMPLETE = """\
source "$1"
COMP_LINE=$2 COMP_POINT=${#2}
read -ra COMP_WORDS <<<"$2"
COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
eval "$(complete -p witnessctl | sed -E 's/.*-F ([^ ]+) .*/\\1/')"
printf '%s\\n' "${COMPREPLY[@]}"
"""


def complete(line, cwd=None):
    script = os.path.join(TOP, "packaging", "witnessctl.bash")
    env = dict(os.environ, PATH=f"{BUILD}:{os.environ['PATH']}", COMP_WORDBREAKS=" \t\n\"'><=;|&(:")
    done = subprocess.run(["bash", "-c", COMPLETE, "bash", script, line], env=env, text=True,
                          capture_output=True, timeout=60, check=False, cwd=cwd)
    assert not done.stderr, done.stderr
    return [line for line in done.stdout.split("\n") if line]


def known(line, cwd=None):
    """What the daemon knows, which is asked for a second and no longer: on a slow machine that may be too short."""
    return wait_for(lambda: complete(line, cwd), "the daemon answers within a second", 60)


def help_of(*words):
    done = subprocess.run([os.path.join(BUILD, "witnessctl"), *words], text=True, capture_output=True, timeout=20,
                          check=False)
    assert done.returncode == 0 and not done.stderr, done
    return done.stdout


def commands():
    return sorted(line.split()[0] for line in help_of("help").splitlines() if line[:2] == "  " and line[2] not in " -")


def test_commands():
    assert complete("witnessctl ") == commands() and "doctor" in commands() and len(commands()) > 12
    assert complete("witnessctl sta") == ["static", "status"]
    assert complete("witnessctl --json --socket x --timeout 3 ping") == ["ping"]
    assert complete("witnessctl nonsense ") == []
    assert complete("witnessctl --so") == ["--socket"]
    assert complete("witnessctl --socket ") == []


def test_every_command_has_help():
    for command in commands():
        text = help_of(command, "--help") if command != "help" else help_of("help")
        assert text.startswith("usage: witnessctl")
        assert "--help" in complete(f"witnessctl {command} --")


def test_options():
    assert complete("witnessctl watch FS --exec") == ["--exec", "--exec-all", "--exec-timeout"]
    assert complete("witnessctl list --l") == ["--local"]
    assert complete("witnessctl doctor k") == ["kdc", "keytab"]
    assert complete("witnessctl doctor keytab c")[:2] == ["clients", "cluster"]
    assert complete("witnessctl log-level de") == ["debug"]
    assert complete("witnessctl watch FS --count ") == []
    assert complete("witnessctl notify ") == ["change", "ip-change", "move", "share-move"]
    assert complete("witnessctl notify share-move ") == [] and complete("witnessctl ctdb r") == ["refresh"]
    assert complete("witnessctl notify change --state ") == ["available", "unavailable"]


@pytest.mark.parametrize("command", [c for c in commands() if c != "help"])
def test_every_option(command):
    """What the manual page and --help name can be completed, and is nothing that the command refuses."""
    text = help_of(command, "--help")
    offered = set(complete(f"witnessctl {command} --"))
    assert set(re.findall(r"(?<![a-z-])--[a-z][a-z0-9-]*", text)) <= offered
    socket = [] if command in ("watch", "probe", "doctor", "version") else ["--socket", f"nobody-{os.getpid()}"]
    for option in sorted(offered - {"--help"}) if socket else ():
        done = subprocess.run([os.path.join(BUILD, "witnessctl"), *socket, command, option, "1"], text=True,
                              capture_output=True, timeout=20, check=False)
        assert "is not an option" not in done.stderr, (option, done.stderr)


def test_files(tmp_path):
    (tmp_path / "secret").write_text("x")
    for line in ("watch FS --password-file", "probe --auth-file", "doctor --config", "watch FS --exec"):
        assert complete(f"witnessctl {line} se", cwd=tmp_path) == ["secret"]


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    nodes = Cluster(tmp_path_factory.mktemp("completion"))
    yield nodes
    nodes.stop()


def test_what_the_daemon_knows(cluster, watch_of, daemon):  # noqa: F811
    watch = watch_of(cluster)
    node = cluster.nodes["n" + watch.wait("registered")["witness"][-1]]
    socket = f"witnessctl --socket {node.control}"
    addresses = ["127.0.78.1", "127.0.78.2", "127.0.78.3", "127.0.78.9"]
    assert known(f"{socket} leave ") == addresses
    assert known(f"{socket} tickle 127.0.78.9") == ["127.0.78.9"]
    assert known(f"{socket} watch FS --server ") == addresses
    assert known(f"{socket} force-unregister ") == [node.json("list")[0]["handle"]]
    assert known(f"{socket} watch ") == ["fs.lab.test"]
    assert known(f"{socket} notify ip-change --address ") == addresses
    for words in ("drain", "undrain", "client-move --to-node", "list --witness", "events --node"):
        assert known(f"{socket} {words} ") == ["n1", "n2", "n3"], words
    watch.stop()
    # readline takes the part behind the last colon only
    assert known(f"witnessctl --socket {daemon.control} leave fd00:77") == ["77::3"]
    assert complete("witnessctl --socket nobody leave ") == []


# ---- names that clients choose ----

FILE = "made-by-a-name"
NAMES = sorted([f"$(touch {FILE})", f"`touch {FILE}`", f"x;touch {FILE};", "a b", "a$b", "a'b", "*", "c[d]?", "~root",
                "\u00e4\u00f6", "with:colon", "!!", "#1", "{a,b}"])
PATTERNS = {"*": "\\*", "c[d]?": "c\\[d]\\?"}


@pytest.fixture(scope="module")
def named(daemon):
    """A daemon with clients of such names."""
    with daemon.ntlm() as conn:
        for name in NAMES:
            daemon.register(conn, net_name="FS", ip="127.0.77.2", client=name)
        assert sorted(client["client"] for client in daemon.json("list")) == NAMES
        yield daemon


def offered(daemon, typed, cwd, ask=known):
    return ask(f"witnessctl --socket {daemon.control} list --client-computer-name {typed}", cwd)


def test_names_are_not_run(named, tmp_path):
    """They come as words that the shell takes for nothing but the name, and expands nothing of."""
    words = offered(named, "", tmp_path)
    assert sorted(shlex.split(" ".join(words))) == sorted(PATTERNS.get(name, name) for name in NAMES)
    printed = subprocess.run(["bash", "-c", "printf '%s\\n' " + " ".join(words)], capture_output=True, text=True, timeout=60,
                             check=True, cwd=tmp_path).stdout.splitlines()
    assert sorted(printed) == sorted(PATTERNS.get(name, name) for name in NAMES)
    assert not os.listdir(tmp_path)


@pytest.mark.parametrize("typed, words", [
    ("a", ["a\\ b", "a\\$b", "a\\'b"]), ("a\\ ", ["a\\ b"]), ("a\\", ["a\\ b", "a\\$b", "a\\'b"]), ("a\\$", ["a\\$b"]),
    ("'a", ["a b", "a$b"]), ("\"a", ["a b", "a'b"]), ("'a ", ["a b"]), ("*", []), ("\\\\*", ["\\\\\\*"]), ("[ab]", []),
    ("with:", ["colon"]), ("'with:", ["with:colon"]), ("with\\:c", ["with:colon"]), ("$(t", []), ("`t", []), ("nobody", [])])
def test_what_is_typed_is_compared_literally(named, tmp_path, typed, words):
    assert sorted(offered(named, typed, tmp_path, known if words else complete)) == sorted(words)
    assert not os.listdir(tmp_path)


def test_patterns_select_that_client_only(named, tmp_path):
    """A client called * does not stand for all of them where a pattern is expected."""
    for name in ("*", "c[d]?"):
        word, = [w for w in offered(named, "", tmp_path) if shlex.split(w) == [PATTERNS[name]]]
        assert [client["client"] for client in named.json("list", "--client-computer-name", *shlex.split(word))] == [name]
