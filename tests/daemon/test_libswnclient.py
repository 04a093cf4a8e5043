# SPDX-License-Identifier: GPL-3.0-or-later
"""libswnclient as somebody else sees it: installed, with its headers, pkg-config file and manual page."""
import os
import shlex
import signal
import subprocess

import pytest

from conftest import BUILD, TOP, Daemon
from lines import Program
from test_watch import MOVING, SERVER, Cluster, registered_at

EXAMPLES = os.path.join(TOP, "docs", "examples")


def must(argv, **kw):
    done = subprocess.run(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, timeout=300, check=False, **kw)
    assert done.returncode == 0, f"{shlex.join(argv)}\n{done.stdout}"
    return done.stdout


def sanitizers():
    """What a library that was built for check-asan needs its programs to be linked with; else nothing."""
    needed = must(["nm", "-D", os.path.join(BUILD, "libswnclient.so")])
    return ["-fsanitize=address,undefined"] if "__asan_init" in needed else []


class Installed:
    """What make install leaves."""

    def __init__(self, folder):
        self.prefix = os.path.join(folder, "usr")
        self.folder = folder
        env = {k: v for k, v in os.environ.items() if k not in ("MAKEFLAGS", "MAKELEVEL", "MFLAGS")}
        must(["make", "-s", "-C", TOP, f"B={BUILD}", "install", f"PREFIX={self.prefix}",
              f"SYSCONFDIR={folder}/etc", f"OCFDIR={folder}/ocf", f"UNITDIR={folder}/units",
              f"CTDBDIR={folder}/ctdb"], env=env)
        self.env = dict(os.environ, PKG_CONFIG_PATH=os.path.join(self.lib, "pkgconfig"))

    @property
    def lib(self):
        return os.path.join(self.prefix, "lib")

    def pkg_config(self, *args):
        return must(["pkg-config", *args], env=self.env).split()

    def compile(self, source, *packages, static=False):
        """The program that a stranger would get."""
        out = os.path.join(self.folder, os.path.basename(source)[:-2] + ("-static" if static else ""))
        if static:  # only ours: the others have no static libraries everywhere
            packages = [*packages, *self.pkg_config("--print-requires-private", *packages)]
        flags = self.pkg_config("--cflags", "--libs", *packages)
        if static:
            flags = [os.path.join(self.lib, "libswnclient.a") if f == "-lswnclient" else f for f in flags]
        must([os.environ.get("CC", "cc"), "-std=c11", "-D_GNU_SOURCE", "-Wall", "-Wextra", "-Werror",
              "-o", out, source, *sanitizers(), *flags], cwd=self.folder)
        return out


class Example(Program):
    """A running example."""

    def __init__(self, installed, path, cluster, server, password=Daemon.password):
        super().__init__([path, "fs.lab.test", server],
                         env=dict(os.environ, LD_LIBRARY_PATH=installed.lib, SWN_USER=Daemon.user,
                                  SWN_DOMAIN=Daemon.domain, SWN_PASSWORD=password, SWN_EPM_PORT=str(cluster.epm_port)))

    def wait(self, start):
        """The next line that begins so; others are passed over."""
        line = self.take()
        while not line.startswith(start):
            line = self.take()
        return line.rstrip("\n")


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    nodes = Cluster(tmp_path_factory.mktemp("libswnclient"))
    yield nodes
    nodes.stop()


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    return Installed(str(tmp_path_factory.mktemp("installed")))


@pytest.fixture
def run(installed, cluster):
    started = []

    def start(path, server=MOVING, **kw):
        started.append(Example(installed, path, cluster, server, **kw))
        return started[-1]

    yield start
    for program in started:
        program.end()


def test_what_is_installed(installed):
    soname = os.path.join(installed.lib, "libswnclient.so.0")
    assert os.path.islink(soname) and os.path.exists(soname)
    assert os.path.islink(os.path.join(installed.lib, "libswnclient.so"))
    assert sorted(os.listdir(os.path.join(installed.prefix, "include"))) == [
        "swnclient.h", "swnclient_tevent.h"]
    assert os.path.exists(os.path.join(installed.prefix, "share/man/man3/libswnclient.3"))
    assert os.path.exists(os.path.join(installed.prefix, "share/bash-completion/completions/witnessctl"))
    assert os.path.exists(os.path.join(installed.prefix, "share/doc/witnessd/witnessctl.schema.json"))
    version = installed.pkg_config("--modversion", "libswnclient")
    assert version == [must([os.path.join(BUILD, "witnessctl"), "version"]).split()[1]]


@pytest.mark.parametrize("header", ["swnclient.h", "swnclient_tevent.h"])
@pytest.mark.parametrize("language", ["c", "c++"])
def test_headers_alone(installed, header, language):
    """Each compiles by itself, in C and in C++, and shows nothing of what is inside."""
    flags = installed.pkg_config("--cflags", "libswnclient", "tevent", "talloc")
    source = os.path.join(installed.folder, "alone." + ("c" if language == "c" else "cc"))
    with open(source, "w", encoding="utf-8") as f:
        f.write(f"#include <{header}>\n")
    compiler = {"c": "cc", "c++": "clang++"}[language]
    text = must([compiler, "-E", "-P", source, *flags])
    must([compiler, "-Wall", "-Wextra", "-Werror", "-fsyntax-only", source, *flags])
    assert "swnc_config_new" in text
    assert "swn_handle" not in text and "rpc_" not in text and "ipaddr" not in text
    assert ("talloc" in text) == (header == "swnclient_tevent.h")


@pytest.mark.parametrize("static", [False, True])
def test_blocking_example_is_notified(installed, cluster, run, static):
    program = run(installed.compile(os.path.join(EXAMPLES, "swn-wait.c"), "libswnclient", static=static))
    assert program.wait("registered").split()[1] == MOVING
    cluster.ctl("address", MOVING, "down")
    assert program.wait("notification") == f"notification RESOURCE_CHANGE {MOVING}:unavailable"
    cluster.ctl("address", MOVING, "up")
    assert program.wait("notification") == f"notification RESOURCE_CHANGE {MOVING}:available"
    program.wait("re-registering")
    program.wait("registered")
    program.process.send_signal(signal.SIGTERM)
    assert program.process.wait(20) == 0
    assert not any(registered_at(cluster).values())


def test_tevent_example_is_notified(installed, cluster, run):
    path = installed.compile(os.path.join(EXAMPLES, "swn-loop.c"), "libswnclient", "tevent", "talloc")
    program = run(path)
    assert program.wait("interface n2") == "interface n2 127.0.78.2 available witness"
    program.wait("registered")
    cluster.ctl("address", MOVING, "down")
    try:
        program.wait("notification RESOURCE_CHANGE")
        assert program.process.wait(20) == 0
    finally:
        cluster.ctl("address", MOVING, "up")
    assert not any(registered_at(cluster).values())


LIST = """\
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <swnclient.h>

int main(int argc, char **argv)
{
	struct swnc_config *config = swnc_config_new();
	struct swnc_interfaces *list = NULL;
	char *why = NULL;
	int err = argc == 3 ? 0 : 1;

	err = err ? err : swnc_config_set_text(config, SWNC_NET_NAME, argv[1]);
	err = err ? err : swnc_config_set_text(config, SWNC_SERVER, argv[2]);
	err = err ? err : swnc_config_set_text(config, SWNC_USER, getenv("SWN_USER"));
	err = err ? err : swnc_config_set_text(config, SWNC_DOMAIN, getenv("SWN_DOMAIN"));
	err = err ? err : swnc_config_set_text(config, SWNC_PASSWORD, getenv("SWN_PASSWORD"));
	err = err ? err : swnc_config_set_number(config, SWNC_EPM_PORT, (uint32_t)atoi(getenv("SWN_EPM_PORT")));
	err = err ? err : swnc_get_interfaces(config, &list, &why);
	swnc_config_free(config);
	if (err != 0) {
		printf("%s: %s\\n", strerror(err), why != NULL ? why : "-");
		free(why);
		return 1;
	}
	for (size_t i = 0; i < list->num; i++) {
		printf("%s %s %s %u %d\\n", list->entries[i].group, list->entries[i].ipv4,
		       swnc_state_name(list->entries[i].state), list->entries[i].version,
		       list->entries[i].witness);
	}
	swnc_interfaces_free(list);
	return 0;
}
"""


def test_interfaces_without_a_loop(installed, run):
    source = os.path.join(installed.folder, "list.c")
    with open(source, "w", encoding="utf-8") as f:
        f.write(LIST)
    path = installed.compile(source, "libswnclient")
    program = run(path, SERVER)
    lines = [program.take().rstrip("\n") for _ in range(4)]
    assert sorted(lines) == ["n1 127.0.78.1 available 2 0", f"n1 {MOVING} available 2 0",
                             "n2 127.0.78.2 available 2 1", "n3 127.0.78.3 available 2 1"]
    assert program.process.wait(20) == 0
    refused = run(path, SERVER, password="wrong")
    assert refused.wait("Permission denied: the server refuses") and refused.process.wait(20) == 1


def test_wrong_password_ends_it(installed, run):
    program = run(installed.compile(os.path.join(EXAMPLES, "swn-wait.c"), "libswnclient"), SERVER,
                  password="wrong")
    program.wait("failed: ")
    assert program.process.wait(20) == 1
    assert "Permission denied" in program.process.stderr.read()


def test_usage(installed, run):
    program = run(installed.compile(os.path.join(EXAMPLES, "swn-wait.c"), "libswnclient"), "not-an-address")
    assert program.process.wait(20) == 2
