# SPDX-License-Identifier: GPL-3.0-or-later
"""The daemon as a process: background, pid file, signals, readiness, log, control commands."""
import json
import os
import signal
import socket
import subprocess

import conftest
import pytest


def background(daemon, *more):
    """Start with --daemon; what the command that starts it ends with."""
    argv = [word for word in daemon.argv if word != "-f"] + ["--daemon", *more]
    return subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=30,
                          check=False)


def gone(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as f:
        return f.read().rpartition(")")[2].split()[0] == "Z"


@pytest.fixture
def configured():
    """A daemon, not started, with log and pid file in its folder."""
    daemon = conftest.Daemon()
    pid_file = os.path.join(daemon.dir, "pid")
    daemon.pid_file, log = pid_file, os.path.join(daemon.dir, "witnessd.log")
    daemon.witnessd_log = log
    daemon.argv += ["-o", f"global.log_target={log}", "-o", f"global.pid_file={pid_file}"]
    yield daemon
    if os.path.exists(pid_file):
        with open(pid_file, encoding="ascii") as f:
            pid = int(f.read())
        os.kill(pid, signal.SIGTERM)
        conftest.wait_for(lambda: gone(pid), "witnessd ends")
    daemon.stop()


def read(path):
    with open(path, encoding="utf-8") as f:
        return f.read()


def test_background_returns_when_it_serves(configured):
    done = background(configured)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert configured.ctl("ping").returncode == 0
    pid = int(read(configured.pid_file))
    assert configured.json("status")["pid"] == pid
    assert os.getsid(pid) == pid


def test_background_says_why_it_does_not_serve(configured):
    with socket.socket() as busy:
        busy.bind((configured.addr, configured.epm_port))
        busy.listen()
        done = background(configured)
    assert done.returncode == 1
    assert f"port {configured.epm_port} on {configured.addr} is in use" in done.stderr
    assert not os.path.exists(configured.pid_file)
    assert f"port {configured.epm_port}" in read(configured.witnessd_log)


def test_second_daemon_is_told_the_pid_of_the_first(configured):
    assert background(configured).returncode == 0
    done = background(configured)
    assert done.returncode == 1
    assert f"process id {read(configured.pid_file).strip()}" in done.stderr
    assert configured.ctl("ping").returncode == 0


def test_pid_file_goes_with_the_daemon(configured):
    configured.start()
    assert int(read(configured.pid_file)) == configured.process.pid
    configured.process.send_signal(signal.SIGINT)
    assert configured.process.wait(10) == 0
    assert not os.path.exists(configured.pid_file)


def test_log_file_is_private(configured):
    configured.start()
    assert os.stat(configured.witnessd_log).st_mode & 0o077 == 0


def test_hup_opens_the_log_again_and_names_what_needs_a_restart(configured):
    conf = configured.write("witnessd.conf", "[rpc]\nmax_calls = 10\n")
    configured.argv[configured.argv.index("-c") + 1] = conf
    configured.start()
    os.rename(configured.witnessd_log, configured.witnessd_log + ".1")
    configured.write("witnessd.conf", "[rpc]\nmax_calls = 11\n")
    configured.process.send_signal(signal.SIGHUP)
    conftest.wait_for(lambda: os.path.exists(configured.witnessd_log) and
                      "rpc.max_calls has changed" in read(configured.witnessd_log), "SIGHUP")
    configured.write("witnessd.conf", "[rpc]\nmax_calls = none\n")
    configured.process.send_signal(signal.SIGHUP)
    conftest.wait_for(lambda: "conf:2: rpc.max_calls must be" in read(configured.witnessd_log),
                      "SIGHUP with a bad file")
    assert configured.json("status")["limits"]["rpc.max_calls"] == 10


def test_service_manager_is_told(configured):
    path = os.path.join(configured.dir, "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
        sock.bind(path)
        sock.settimeout(20)
        os.environ["NOTIFY_SOCKET"] = path
        try:
            configured.start()
        finally:
            del os.environ["NOTIFY_SOCKET"]
        assert sock.recv(100) == b"READY=1"
        configured.process.send_signal(signal.SIGTERM)
        assert sock.recv(100) == b"STOPPING=1"
        assert configured.process.wait(10) == 0


def test_log_level_until_the_next_hup(configured):
    configured.argv += ["-o", "global.log_level=notice"]
    configured.start()
    configured.json("log-level", "debug")
    with configured.conn():
        pass
    conftest.wait_for(lambda: "[debug]" in read(configured.witnessd_log), "debug messages")
    assert configured.ctl("log-level", "loud", check=False).returncode == 1
    assert configured.ctl("log-level", check=False).returncode == 2


def test_log_level_needs_no_file_that_could_be_opened(configured):
    configured.argv += ["-o", "global.log_level=notice"]
    configured.start()
    os.rename(configured.witnessd_log, configured.witnessd_log + ".1")
    os.mkdir(configured.witnessd_log)
    assert configured.json("log-level", "debug") == {"level": "debug"}
    with configured.conn():
        pass
    conftest.wait_for(lambda: "[debug]" in read(configured.witnessd_log + ".1"), "debug messages")
    configured.json("log-level", "err")
    assert configured.ctl("log-level", "info").returncode == 0


def test_shown_configuration_is_a_configuration(configured):
    shown = subprocess.run([*configured.argv, "--show-config"], capture_output=True, text=True,
                           timeout=30, check=True).stdout
    path = configured.write("shown.conf", shown)
    again = subprocess.run([configured.argv[0], "-c", path, "--show-config"], capture_output=True,
                           text=True, timeout=30, check=True).stdout
    assert again == shown and f"pid_file = {configured.pid_file}" in shown


def test_witnessctl_usage(configured):
    configured.start()
    for args in (["nosuch"], [], ["status", "extra"], ["--timeout", "0", "ping"], ["--bogus", "ping"]):
        assert configured.ctl(*args, check=False).returncode == 2, args
    assert json.loads(configured.ctl("status", "--json").stdout)["pid"] == configured.process.pid
    assert "witnessctl" in configured.ctl("help").stdout
    assert configured.ctl("--version").stdout.startswith("witnessctl ")


def test_hanging_daemon_is_given_up(configured):
    configured.start()
    configured.process.send_signal(signal.SIGSTOP)
    try:
        done = configured.ctl("--timeout", "0.3", "ping", check=False)
    finally:
        configured.process.send_signal(signal.SIGCONT)
    assert done.returncode == 1 and "has not answered" in done.stderr
    assert configured.ctl("ping").returncode == 0
