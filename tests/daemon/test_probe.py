# SPDX-License-Identifier: GPL-3.0-or-later
"""witnessctl probe: one question to a server, with and without a logon."""
import json
import os
import signal
import socket

import pytest

from conftest import Daemon, wait_for


def probe(daemon, *args):
    done = daemon.ctl("--json", "probe", "--server", daemon.addr, "--epm-port", str(daemon.epm_port),
                      *args, check=False)
    return done.returncode, json.loads(done.stdout or "null"), done.stderr


@pytest.fixture
def auth_file(tmp_path):
    def write(text):
        path = tmp_path / "auth"
        path.write_text(text)
        return str(path)

    return write


def test_without_a_logon_only_the_bind(daemon):
    assert probe(daemon) == (0, {"server": daemon.addr, "authenticated": False, "port": daemon.port}, "")


@pytest.mark.parametrize("mechanism", [[], ["--ntlm"]])
def test_auth_file_of_smbclient(daemon, auth_file, mechanism):
    path = auth_file(f"# a comment\n  username = {daemon.user}\npassword={daemon.password}  \n"
                     f"Domain = {daemon.domain}\n")
    status, answer, said = probe(daemon, "--auth-file", path, *mechanism)
    assert (status, said) == (0, "")
    assert answer["authenticated"] is True
    assert [(i["addresses"], i["state"], i["witness"]) for i in answer["interfaces"]] == [
        (["127.0.77.1"], "available", False), (["127.0.77.2"], "available", True),
        (["127.0.77.3"], "available", True), (["fd00:77::3"], "available", True)]


def test_no_interface_is_a_success(start_daemon, auth_file):
    """A cluster without addresses, or with none that is available, has a witness that works."""
    path = auth_file(f"username = {Daemon.user}\npassword = {Daemon.password}\ndomain = {Daemon.domain}\n")
    other = start_daemon(cluster_map="[node n1]\nid = 1\n")
    status, answer, said = probe(other, "--auth-file", path)
    assert (status, said, answer["interfaces"]) == (0, "", [])
    other.write("cluster.map", "[node n1]\nid = 1\n[address 127.0.77.9]\nnode = n1\ngroup = g\n"
                "state = unavailable\n")
    wait_for(lambda: other.json("interfaces"), "the address")
    status, answer, said = probe(other, "--auth-file", path, "--timeout", "2")
    assert (status, said) == (0, "")
    assert answer == {"server": other.addr, "port": other.port, "authenticated": True}


def test_hung_server_is_given_up(start_daemon, auth_file):
    path = auth_file(f"username = {Daemon.user}\npassword = {Daemon.password}\ndomain = {Daemon.domain}\n")
    other = start_daemon()
    other.process.send_signal(signal.SIGSTOP)
    try:
        status, _, said = probe(other, "--auth-file", path, "--timeout", "1")
    finally:
        other.process.send_signal(signal.SIGCONT)
    assert status == 1 and "timed out" in said


def test_wrong_password_is_named(daemon, auth_file):
    path = auth_file(f"username = {daemon.user}\npassword = wrong\ndomain = {daemon.domain}\n")
    status, answer, said = probe(daemon, "--auth-file", path)
    assert (status, answer) == (1, None)
    assert "authentication" in said


def test_kerberos_without_a_key(daemon, monkeypatch, tmp_path):
    monkeypatch.setenv("KRB5CCNAME", f"FILE:{tmp_path}/no-cache")
    monkeypatch.setenv("KRB5_CLIENT_KTNAME", f"FILE:{tmp_path}/no-keytab")
    for user in ([], ["--user", "n1$@LAB.TEST"]):
        status, _, said = probe(daemon, "--kerberos", *user)
        assert status == 1 and "credentials" in said


@pytest.mark.parametrize("args", [["extra"], ["--user", "alice"], ["--ntlm"], ["--timeout", "0"],
                                  ["--kerberos", "--ntlm", "--user", "a"], ["--bogus"],
                                  ["--auth-file", "/nonexistent"], ["--auth-file", "/dev/null"]])
def test_usage(daemon, args, monkeypatch):
    monkeypatch.delenv("WITNESSCTL_PASSWORD", raising=False)
    status, answer, said = probe(daemon, *args)
    assert (status, answer) == (2, None) and said


def test_nobody_listens(daemon):
    with socket.socket() as busy:
        busy.bind((daemon.addr, 0))
        status, _, said = probe(daemon, "--epm-port", str(busy.getsockname()[1]))
    assert status == 1 and "endpoint mapper: " + os.strerror(111) in said


def test_silent_server_is_given_up(daemon):
    with socket.socket() as silent:
        silent.bind((daemon.addr, 0))
        silent.listen()
        status, _, said = probe(daemon, "--epm-port", str(silent.getsockname()[1]), "--timeout", "1")
    assert status == 1 and "timed out" in said
