# SPDX-License-Identifier: GPL-3.0-or-later
"""Starting, stopping, and what is said when it cannot work."""
import json
import os
import re
import socket
import struct
import subprocess

import conftest
import pytest
import rawrpc as r
import swn

WITNESSD = os.path.join(conftest.BUILD, "witnessd")


def run(*args, **kw):
    return subprocess.run([WITNESSD, *args], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          timeout=60, check=False, **kw)


def start_fails(options, cluster_map=conftest.MAP):
    """The message of a daemon that must not start."""
    daemon = conftest.Daemon(options, cluster_map)
    try:
        done = subprocess.run(daemon.argv, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              timeout=60, check=False)
        assert done.returncode not in (0, None) and done.returncode > 0, done
        return done.stderr
    finally:
        daemon.stop()


@pytest.mark.parametrize("text,said", [
    ("[witness]\nbogus = 1\n", ["conf:2", "witness.bogus"]),
    ("[nosuch]\nkey = 1\n", ["conf:1", "nosuch"]),
    ("[rpc]\nport = 70000\n", ["conf:2", "rpc.port", "65535"]),
    ("[rpc]\n\nport = 12abc\n", ["conf:3", "rpc.port", "12abc"]),
    ("[rpc]\nlisten = 10.0.0.1 nonsense\n", ["conf:2", "rpc.listen", "nonsense"]),
    ("[rpc]\nepmapper = perhaps\n", ["conf:2", "rpc.epmapper", "perhaps"]),
    ("[global]\nlog_level = loud\n", ["conf:2", "global.log_level", "debug"]),
    ("[witness]\nversion 2\n", ["conf:2"]),
], ids=["key", "section", "range", "digits", "address", "bool", "enum", "no-equals"])
def test_bad_configuration_names_the_line(tmp_path, text, said):
    path = tmp_path / "bad.conf"
    path.write_text(text)
    for args in (["--check", "-c", str(path)], ["-f", "-c", str(path)]):
        done = run(*args)
        assert done.returncode == 1, done
        for word in said:
            assert word in done.stderr, done.stderr


def test_bad_override_is_named():
    done = run("--check", "-c", "/dev/null", "-o", "rpc.prot=1")
    assert done.returncode != 0 and "rpc.prot" in done.stderr


def of_the_plain_build(test):
    """ASan has an allocator of its own, of which nothing can be taken away: that build has no such test."""
    test.__test__ = "asan" not in conftest.BUILD
    return test


@of_the_plain_build
def test_short_memory_is_no_bad_configuration(tmp_path):
    """A resource agent tells Pacemaker about the one, which stops the witness on every node, and not about the other."""
    knobs = tmp_path / "knobs"
    env = dict(os.environ, WITNESS_FAULTS=str(knobs),
               LD_PRELOAD=os.path.join(conftest.BUILD, "tests/lab/faults/preload.so"))
    seen = set()
    for one_in in range(1, 120, 7):
        knobs.write_bytes(struct.pack("=qQ", 0, one_in))
        done = run("--check", "-c", "/dev/null", "-o", "witness.net_names=A B", env=env)
        assert done.returncode in (0, 3), (one_in, done)
        seen.add(done.returncode)
    assert seen == {0, 3}


def test_missing_configuration_file_is_named():
    done = run("--check", "-c", "/nonexistent/witnessd.conf")
    assert done.returncode != 0 and "/nonexistent/witnessd.conf" in done.stderr


def test_usage():
    assert run("--help").returncode == 0 and "--check" in run("--help").stdout
    assert "0." in run("--version").stdout
    assert run("--no-such-option").returncode == 2
    assert run("--check", "-c", "/dev/null").returncode == 0


def test_busy_mapper_port_is_named():
    with socket.socket() as busy:
        busy.bind(("127.0.77.1", 0))
        busy.listen()
        port = busy.getsockname()[1]
        said = start_fails({"rpc.epmapper_port": port})
        assert str(port) in said and "127.0.77.1" in said


def test_missing_backend_is_named():
    assert "nosuchbackend" in start_fails({"global.backend": "nosuchbackend"})


def test_missing_keytab_is_named(start_daemon):
    daemon = start_daemon({"auth.kerberos": "yes", "auth.keytab": "/nonexistent/keytab"})
    assert "/nonexistent/keytab" in daemon.text()


def test_without_any_mechanism_it_does_not_start():
    said = start_fails({"auth.kerberos": "yes", "auth.keytab": "/nonexistent/keytab",
                        "auth.ntlm": "no"})
    assert "/nonexistent/keytab" in said


def test_missing_map_is_waited_for():
    daemon = conftest.Daemon()
    os.unlink(daemon.map)
    try:
        daemon.start()
        with daemon.ntlm() as conn:
            daemon.write("cluster.map", conftest.MAP)
            conftest.wait_for(lambda: daemon.json("interfaces"), "the map is read")
            assert len(swn.interfaces(conn.call(swn.GET_INTERFACE_LIST))) == 4
    finally:
        daemon.stop()


def test_second_daemon_on_the_same_control_socket_is_refused(start_daemon):
    first = start_daemon()
    said = start_fails({"global.control": first.control})
    assert first.control in said
    assert first.ctl("ping").returncode == 0


def test_listens_on_ipv6(start_daemon):
    daemon = start_daemon({"rpc.listen": "127.0.77.1 ::1"})
    for port, syntax in ((daemon.port, r.WITNESS), (daemon.epm_port, r.EPM)):
        with r.Conn("::1", port) as conn:
            assert conn.bind(r.context(0, syntax)).results == [(0, 0)]


def test_dynamic_port_is_found_through_the_mapper(start_daemon):
    daemon = start_daemon({"rpc.port": 0})
    port = daemon.json("status")["rpc"]["port"]
    assert 49152 <= port <= 65535
    with r.Conn(daemon.addr, port) as conn:
        assert conn.bind(r.context(0, r.WITNESS)).results == [(0, 0)]


def test_witnessctl(start_daemon):
    daemon = start_daemon()
    for command in ("status", "interfaces", "list"):
        json.loads(daemon.ctl("--json", command).stdout)
        assert daemon.ctl(command).stdout
    assert daemon.ctl("nosuch", check=False).returncode == 2
    assert daemon.ctl("static", "node", "nosuch", "offline", check=False).returncode == 6
    assert "nosuch" in daemon.ctl("static", "node", "nosuch", "offline", check=False).stderr


def test_witnessctl_without_a_daemon():
    done = subprocess.run([os.path.join(conftest.BUILD, "witnessctl"), "--socket", "nobody-here", "ping"],
                          capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 3 and "nobody-here" in done.stderr


def test_the_service_may_edit_the_default_map():
    """ProtectSystem makes /etc read-only for it."""
    shown = run("-c", "/dev/null", "--show-config").stdout
    folder = os.path.dirname(re.search(r"^map = (/etc/\S+)$", shown, re.M).group(1))
    with open(os.path.join(conftest.TOP, "packaging/witnessd.service"), encoding="utf-8") as unit:
        assert f"ReadWritePaths=-{folder}\n" in unit.read()
