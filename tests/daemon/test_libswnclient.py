# SPDX-License-Identifier: GPL-3.0-or-later
"""libswnclient as somebody else sees it: installed, with its headers, pkg-config file and manual page."""
import os
import re
import signal

import pytest

from conftest import Daemon
from installed import BUILD, TOP, make_install, must
from lines import Program
from test_watch import MOVING, SERVER, Cluster, registered_at

PAGE = os.path.join(TOP, "docs/libswnclient.3")


def sanitizers():
    """What a library that was built for check-asan needs its programs to be linked with; else nothing."""
    needed = must(["nm", "-D", os.path.join(BUILD, "libswnclient.so")])
    return ["-fsanitize=address,undefined"] if "__asan_init" in needed else []


class Installed:
    """What make install leaves."""

    def __init__(self, folder):
        self.prefix = os.path.join(folder, "usr")
        self.folder = folder
        make_install(f"PREFIX={self.prefix}", f"SYSCONFDIR={folder}/etc", f"OCFDIR={folder}/ocf",
                     f"UNITDIR={folder}/units", f"CTDBDIR={folder}/ctdb", f"SYSUSERSDIR={folder}/sysusers",
                     f"TMPFILESDIR={folder}/tmpfiles")
        self.env = dict(os.environ, PKG_CONFIG_PATH=os.path.join(self.lib, "pkgconfig"))

    @property
    def lib(self):
        return os.path.join(self.prefix, "lib")

    def example(self, name):
        return os.path.join(self.prefix, "share/doc/witnessd/examples", name)

    def write(self, name, text):
        path = os.path.join(self.folder, name)
        with open(path, "w", encoding="utf-8") as f:
            f.write(text)
        return path

    def output(self, program):
        """Of one that asks nobody."""
        return must([program], env=dict(os.environ, LD_LIBRARY_PATH=self.lib))

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


def test_pages_name_what_is_installed(installed):
    """Each file below /usr that a manual page of ours names is there after make install."""
    below = {"/usr/share/ctdb/events/legacy/": "ctdb/", "/usr/lib/ocf/resource.d/samba/": "ocf/",
             "/usr/lib/witnessd/": "usr/lib/witnessd/", "/usr/share/doc/witnessd/": "usr/share/doc/witnessd/",
             "/usr/sbin/": "usr/sbin/"}
    named = set()
    for section in ("man3", "man5", "man7", "man8"):
        folder = os.path.join(installed.prefix, "share/man", section)
        for page in os.listdir(folder):
            with open(os.path.join(folder, page), encoding="utf-8") as f:
                named.update(re.findall(r"/usr/[^\s,;)]*[a-zA-Z0-9/]", f.read()))
    assert "/usr/share/doc/witnessd/examples/swn-wait.c" in named and "/usr/sbin/witnessd" in named
    for path in sorted(named):
        start = next((start for start in below if path.startswith(start)), None)
        assert start, f"{path}: not a folder of ours"
        there = os.path.join(installed.folder, below[start], path[len(start):]).replace("NAME", "ctdb")
        assert os.path.exists(there), f"{path} is not installed"


@pytest.mark.parametrize("header", ["swnclient.h", "swnclient_tevent.h"])
@pytest.mark.parametrize("language", ["c", "c++"])
def test_headers_alone(installed, header, language):
    """Each compiles by itself, in C and in C++, and shows nothing of what is inside."""
    flags = installed.pkg_config("--cflags", "libswnclient", "tevent", "talloc")
    source = installed.write("alone." + ("c" if language == "c" else "cc"), f"#include <{header}>\n")
    compiler = {"c": "cc", "c++": "clang++"}[language]
    text = must([compiler, "-E", "-P", source, *flags])
    must([compiler, "-Wall", "-Wextra", "-Werror", "-fsyntax-only", source, *flags])
    assert "swnc_config_new" in text
    assert "swn_handle" not in text and "rpc_" not in text and "ipaddr" not in text
    assert ("talloc" in text) == (header == "swnclient_tevent.h")


@pytest.mark.parametrize("static", [False, True])
def test_blocking_example_is_notified(installed, cluster, run, static):
    program = run(installed.compile(installed.example("swn-wait.c"), "libswnclient", static=static))
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
    program = run(installed.compile(installed.example("swn-loop.c"), "libswnclient", "tevent", "talloc"))
    assert program.wait("interface n2") == "interface n2 127.0.78.2 available witness"
    program.wait("registered")
    cluster.ctl("address", MOVING, "down")
    try:
        program.wait("notification RESOURCE_CHANGE")
        assert program.process.wait(20) == 0
    finally:
        cluster.ctl("address", MOVING, "up")
    assert not any(registered_at(cluster).values())


# An example with its main() out of the way, and events that no server of ours would send.
HOSTILE = """\
#define main example_main
#include "%s"
#undef main

int main(void)
{
	static const struct swnc_address addresses[] = {
		{.address = NULL, .state = SWNC_AVAILABLE}, {.address = "fd00::1", .state = SWNC_UNAVAILABLE}};
	static const struct swnc_change changes[] = {{.name = "\\033[2J\\\\\\302\\233m", .state = SWNC_AVAILABLE}};
	static const struct swnc_event events[] = {
		{.type = SWNC_REGISTERED, .server = "192.0.2.1"},
		{.type = SWNC_NOTIFIED, .message = SWNC_CLIENT_MOVE, .addresses = addresses, .num_addresses = 2},
		{.type = SWNC_NOTIFIED, .message = SWNC_CLIENT_MOVE},
		{.type = SWNC_NOTIFIED, .message = SWNC_RESOURCE_CHANGE, .changes = changes, .num_changes = 1},
		{.type = SWNC_LOST, .why = "a\\nregistered"},
		{.type = SWNC_FAILED},
	};
	static const struct swnc_interface entries[] = {
		{.state = SWNC_UNKNOWN}, {.group = "n\\r1", .ipv6 = "fd00::1", .state = SWNC_AVAILABLE, .witness = 1}};
	static const struct swnc_interfaces list = {.entries = entries, .num = 2};

	(void)events, (void)list, (void)example_main;
	%s
	return 0;
}
"""


def test_blocking_example_with_hostile_events(installed):
    """What a server does not send is no pointer to follow, and what it sends is nothing for a terminal."""
    source = installed.write("hostile-wait.c", HOSTILE % (
        installed.example("swn-wait.c"), "for (size_t i = 0; i < sizeof(events) / sizeof(events[0]); i++) print(&events[i]);"))
    assert installed.output(installed.compile(source, "libswnclient")).split("\n") == [
        "registered 192.0.2.1 with -", "notification CLIENT_MOVE -:available fd00::1:unavailable", "notification CLIENT_MOVE",
        r"notification RESOURCE_CHANGE \x1b[2J\x5c\xc2\x9bm:available", r"connection lost: a\x0aregistered", "failed: -", ""]


def test_tevent_example_with_a_hostile_list(installed):
    source = installed.write("hostile-loop.c", HOSTILE % (installed.example("swn-loop.c"), "print(&list);"))
    assert installed.output(installed.compile(source, "libswnclient", "tevent", "talloc")).split("\n") == [
        "interface - - unknown", r"interface n\x0d1 fd00::1 available witness", ""]


# The example of the manual page, with a server that answers as it likes.
PAGES = """\
#include <errno.h>
#include <stdio.h>
#include <swnclient.h>

static void reconnect_to(const char *address) { printf("%%s\\n", address); }

static int answer(struct swnc_session *session, int timeout_ms, const struct swnc_event **event)
{
	static const struct swnc_address none = {.state = SWNC_AVAILABLE}, down = {"192.0.2.1", SWNC_UNAVAILABLE, 0};
	static const struct swnc_address some[] = {{NULL, SWNC_AVAILABLE, 0}, {"192.0.2.1", SWNC_UNAVAILABLE, 0},
		{"192.0.2.2", SWNC_AVAILABLE, 0}, {"192.0.2.3", SWNC_AVAILABLE, 0}};
	static const struct swnc_event events[] = {
		{.type = SWNC_REGISTERED},
		{.type = SWNC_NOTIFIED, .message = SWNC_CLIENT_MOVE},
		{.type = SWNC_NOTIFIED, .message = SWNC_CLIENT_MOVE, .addresses = &none, .num_addresses = 1},
		{.type = SWNC_NOTIFIED, .message = SWNC_CLIENT_MOVE, .addresses = &down, .num_addresses = 1},
		{.type = SWNC_NOTIFIED, .message = SWNC_CLIENT_MOVE, .addresses = some, .num_addresses = 4},
		{.type = SWNC_NOTIFIED, .message = SWNC_IP_CHANGE, .addresses = some, .num_addresses = 4},
	};
	static size_t i;

	(void)session, (void)timeout_ms;
	if (i == sizeof(events) / sizeof(events[0])) {
		return ECANCELED;
	}
	*event = &events[i++];
	return 0;
}

#define swnc_next answer
%s
int main(void)
{
	watch();
	return 0;
}
"""


def test_example_of_the_page(installed):
    """It goes to an address that is there and available, and to no other."""
    with open(PAGE, encoding="utf-8") as f:
        example = re.search(r"^\.Sh EXAMPLES\n\.Bd .*?\n(.*?)^\.Ed$", f.read(), re.M | re.S).group(1)
    source = installed.write("page.c", PAGES % example)
    assert installed.output(installed.compile(source, "libswnclient")) == "192.0.2.2\n"


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
    path = installed.compile(installed.write("list.c", LIST), "libswnclient")
    program = run(path, SERVER)
    lines = [program.take().rstrip("\n") for _ in range(4)]
    assert sorted(lines) == ["n1 127.0.78.1 available 2 0", f"n1 {MOVING} available 2 0",
                             "n2 127.0.78.2 available 2 1", "n3 127.0.78.3 available 2 1"]
    assert program.process.wait(20) == 0
    refused = run(path, SERVER, password="wrong")
    assert refused.wait("Permission denied: the server refuses") and refused.process.wait(20) == 1


def test_wrong_password_ends_it(installed, run):
    program = run(installed.compile(installed.example("swn-wait.c"), "libswnclient"), SERVER, password="wrong")
    program.wait("failed: ")
    assert program.process.wait(20) == 1
    assert "Permission denied" in program.process.stderr.read()


def test_usage(installed, run):
    program = run(installed.compile(installed.example("swn-wait.c"), "libswnclient"), "not-an-address")
    assert program.process.wait(20) == 2
