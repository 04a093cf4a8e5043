# SPDX-License-Identifier: GPL-3.0-or-later
"""witnessctl doctor: each check passes and fails for a real reason."""
import json
import os
import signal
import subprocess

import pytest

import ctlschema
import swn
from conftest import BUILD, NODES, Daemon, wait_for
from kdc import REALM, Kdc
from test_watch import MOVING, Cluster, watch_of  # noqa: F401  # pylint: disable=unused-import


def doctor(daemon, *args, status):
    """The results by check and subject: (verdict, message); every failure has a remedy."""
    done = daemon.ctl("--json", "doctor", *args, check=False)
    assert done.returncode == status, (done.stdout, done.stderr)
    report = json.loads(done.stdout)
    assert not ctlschema.faults("doctor", report)
    results = {}
    for result in report["checks"]:
        assert sorted(result) == ["check", "message", "remedy", "subject", "verdict"]
        assert (result["remedy"] is None) == (result["verdict"] == "ok"), result
        results[(result["check"], result["subject"])] = (result["verdict"], result["message"])
    verdicts = [verdict for verdict, _ in results.values()]
    assert [report[k] for k in ("ok", "warnings", "failures")] == [
        verdicts.count(v) for v in ("ok", "warn", "fail")]
    assert report["verdict"] == next((v for v in ("fail", "warn") if v in verdicts), "ok")
    assert (status == 1) == ("fail" in verdicts)
    return results


def only(daemon, check, *, status):
    """The one result of a check that has one."""
    (name, verdict), = [(k[0], v) for k, v in doctor(daemon, check, status=status).items()]
    assert name == check
    return verdict


# ---- the command ----

@pytest.mark.parametrize("args, word", [(["nonsense"], "nonsense is not a check"), (["--nonsense"], "Try:"),
                                        (["--config"], "Try:")])
def test_usage(daemon, args, word):
    done = daemon.ctl("doctor", *args, check=False)
    assert done.returncode == 2 and word in done.stderr and not done.stdout


def test_help_names_every_check(daemon):
    done = daemon.ctl("doctor", "--help")
    for check in ("config", "daemon", "cluster", "nodes", "ports", "firewall", "keytab", "kdc", "shares", "clients"):
        assert f"\n  {check} " in done.stdout


def test_lines_for_people(daemon):
    done = daemon.ctl("doctor", "daemon", "nodes")
    lines = done.stdout.splitlines()
    assert lines[0].startswith("ok    daemon    witnessd ") and lines[1].startswith("ok    nodes ")
    assert lines[2] == "2 ok, 0 warnings, 0 failures"


def test_failure_for_people(start_daemon):
    other = start_daemon(cluster_map="[cluster]\nquorate = no\n[node n1]\nid = 1\n")
    done = other.ctl("doctor", "cluster", check=False)
    assert done.returncode == 1
    first, second, _ = done.stdout.splitlines()
    assert first.startswith("FAIL  cluster   static: no quorum") and second.strip().startswith("-> bring nodes")


# ---- daemon and configuration ----

def test_no_daemon(daemon):
    """What needs the daemon fails once; the rest is checked."""
    done = subprocess.run([os.path.join(BUILD, "witnessctl"), "--socket", "no-such-witnessd", "--json", "doctor",
                           "daemon", "cluster", "nodes", "config"], capture_output=True, text=True, timeout=60,
                          check=False)
    report = json.loads(done.stdout)
    assert done.returncode == 1
    assert [(r["check"], r["verdict"]) for r in report["checks"]] == [("config", "ok"), ("daemon", "fail")]
    assert "no witnessd is running" in report["checks"][1]["message"]
    assert only(daemon, "daemon", status=0)[0] == "ok"


def test_nobody_may_not(daemon):
    """Who is not let in cannot check anything."""
    done = subprocess.run(["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups",
                           os.path.join(BUILD, "witnessctl"), "--socket", daemon.control, "doctor"],
                          capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 2 and "lets in only root" in done.stderr


def test_configuration_file(daemon, tmp_path):
    path = tmp_path / "witnessd.conf"
    path.write_text("[witness]\nversion = 3\n")
    verdict, message = doctor(daemon, "--config", str(path), "config", status=1)[("config", None)]
    assert verdict == "fail" and "version" in message and "2" in message
    path.write_text("[witness]\nversion = 2\n")
    assert doctor(daemon, "--config", str(path), "config", status=0)[("config", None)][0] == "ok"
    assert "no/such" in doctor(daemon, "--config", "/no/such", "config", status=1)[("config", None)][1]


# ---- cluster, nodes, ports ----

def test_cluster(start_daemon):
    other = start_daemon()
    assert only(other, "cluster", status=0) == ("ok", "static: connected, with quorum")
    other.ctl("static", "quorum", "no")
    assert "no quorum" in only(other, "cluster", status=1)[1]


def test_no_connection_to_the_cluster(start_daemon):
    other = start_daemon({"static.map": "/no/such/map"})
    assert "no connection" in only(other, "cluster", status=1)[1]


def test_nodes(start_daemon):
    other = start_daemon()
    assert only(other, "nodes", status=0) == ("ok", "3 nodes have usable interfaces")
    other.ctl("static", "address", "127.0.77.2", "down")
    assert only(other, "nodes", status=0)[1].startswith("2 nodes")
    other.ctl("static", "node", "n3", "offline")
    verdict, message = wait_for(lambda: [v for v in doctor_or_none(other, "nodes") if v[0] == "fail"],
                                "one node is left")[0]
    assert verdict == "fail" and "on 1 node:" in message


def doctor_or_none(daemon, check):
    done = daemon.ctl("--json", "doctor", check, check=False)
    return [(r["verdict"], r["message"]) for r in json.loads(done.stdout)["checks"]]


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    folder = tmp_path_factory.mktemp("doctor")
    nodes = Cluster(folder, {"static.peer_dir": str(folder)})
    yield nodes
    nodes.stop()


def test_ports(cluster):
    addresses = ["127.0.78.1", "127.0.78.2", "127.0.78.3", MOVING]
    results = doctor(cluster.nodes["n1"], "ports", status=0)
    assert sorted(results) == [("ports", a) for a in sorted(addresses)]
    assert f"ports {cluster.epm_port} and {cluster.nodes['n2'].port} on node n2" in (
        results[("ports", "127.0.78.2")][1])


def test_ports_of_a_node_without_witness(cluster):
    node = cluster.nodes["n3"]
    node.process.kill()
    node.process.wait()
    try:
        results = doctor(cluster.nodes["n1"], "ports", status=1)
    finally:
        node.start()
    assert results[("ports", "127.0.78.3")] == (
        "fail", f"endpoint mapper, port {cluster.epm_port} on node n3: Connection refused")
    assert results[("ports", "127.0.78.2")][0] == "ok"


def test_ports_that_do_not_answer(cluster):
    node = cluster.nodes["n2"]
    node.process.send_signal(signal.SIGSTOP)
    try:
        results = doctor(cluster.nodes["n1"], "ports", status=1)
    finally:
        node.process.send_signal(signal.SIGCONT)
    assert "Connection timed out" in results[("ports", "127.0.78.2")][1]
    assert [v for v, _ in results.values()].count("fail") == 1


def test_ports_taken_by_somebody_else(cluster):
    """A server that speaks DCE/RPC at the mapper's port and is none."""
    node = cluster.nodes["n3"]
    node.process.terminate()
    node.process.wait(20)
    other = Daemon({"rpc.epmapper": "no", "rpc.port": cluster.epm_port}, addr="127.0.78.3")
    try:
        other.start()
        results = doctor(cluster.nodes["n1"], "ports", status=1)
    finally:
        other.stop()
        node.start()
    assert results[("ports", "127.0.78.3")] == (
        "fail", f"endpoint mapper, port {cluster.epm_port} on node n3: no witness service is registered")


# ---- clients ----

def test_client_that_does_not_ask(daemon):
    verdict, message = only(daemon, "clients", status=0)
    assert (verdict, message) == ("ok", "nobody is registered with this node's witness")
    with daemon.ntlm() as conn:
        handle = daemon.register(conn, net_name="FS", ip="127.0.77.2", client="idle")
        result = wait_for(lambda: [v for v in doctor_or_none(daemon, "clients") if v[0] == "fail"],
                          "it is late", 25)
        assert "has not asked for notifications for" in result[0][1]
        conn.call(swn.UNREGISTER, handle)


def asked(daemon):
    """What --json says of the clients."""
    return json.loads(daemon.ctl("--json", "doctor", "clients", check=False).stdout)["clients"]


def test_client_that_waits(cluster, watch_of):  # noqa: F811
    watch = watch_of(cluster)
    name = "n" + watch.wait("registered")["witness"][-1]
    node = cluster.nodes[name]
    verdict, message = wait_for(lambda: [v for v in doctor_or_none(node, "clients") if "1 clients" in v[1]],
                                "it waits")[0]
    assert verdict == "ok" and "wait for notifications; who asked longest ago: tester " in message
    wait_for(lambda: [c["state"] for c in asked(node)] == ["requested notification"], "it waits")
    client, = asked(node)
    registered, = node.json("list")
    assert {k: v for k, v in client.items() if k != "seconds"} == {k: registered[k] for k in client if k != "seconds"}
    wait_for(lambda: asked(node)[0]["seconds"] > client["seconds"], "it grows")
    # The others know of that client, and it is none of theirs.
    for other in set(cluster.nodes) - {name}:
        wait_for(lambda: len(cluster.nodes[other].json("list")) == 1, "it is known there")  # pylint: disable=cell-var-from-loop
        assert only(cluster.nodes[other], "clients", status=0) == ("ok", "nobody is registered with this node's witness")
        assert asked(cluster.nodes[other]) == []
    watch.stop()


def test_clients_are_not_looked_at(daemon):
    assert json.loads(daemon.ctl("--json", "doctor", "config").stdout)["clients"] is None


def test_many_clients_that_do_not_ask(start_daemon):
    """Some are named, the rest is counted; --json has all, and who asked longest ago is the first."""
    other = start_daemon()
    with other.ntlm() as conn:
        names = [f"idle{i}" for i in range(25)]
        for name in names:
            other.register(conn, net_name="FS", ip="127.0.77.2", client=name)
        assert sorted(c["client"] for c in asked(other)) == sorted(names)
        wait_for(lambda: len([v for v in doctor_or_none(other, "clients") if v[0] == "fail"]) == 21, "it is late", 40)
        wait_for(lambda: "the same of 5 other clients" in [v[1] for v in doctor_or_none(other, "clients")],
                 "all of them are late", 40)
        late = [c["seconds"] for c in asked(other)]
        assert len(late) == 25 and late == sorted(late, reverse=True) and min(late) > 5


# ---- shares ----

CLUSTER, AVAILABLE = "smb3 share cap:CLUSTER = yes\n", "SMB3 share cap:continuous availability = Yes\n"


@pytest.fixture
def smbd(tmp_path, monkeypatch):
    """smbd -V says this version; what is installed here is too old for a healthy node."""
    def say(version):
        path = tmp_path / "bin" / "smbd"
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"#!/bin/sh\n[ \"$1\" = -V ] && echo Version {version}\n")
        path.chmod(0o755)
        monkeypatch.setenv("PATH", f"{path.parent}:{os.environ['PATH']}")

    return say


@pytest.mark.parametrize("text, verdict, word", [
    ("[global]\n" + CLUSTER + AVAILABLE + "[a]\n[b]\n", "ok", "all shares (2)"),
    ("[a]\n" + CLUSTER + AVAILABLE + "[b]\n", "warn", "1 of 2 shares announce CLUSTER and"),
    ("[a]\n" + CLUSTER + AVAILABLE + "[b]\n" + CLUSTER, "warn", "1 only one, which has no effect (b)"),
    ("[a]\n[b]\n" + AVAILABLE, "fail", "(a, b)"),
    ("[global]\n" + CLUSTER + "[a]\n", "fail", "never look for a witness"),
    ("[global]\n" + CLUSTER + AVAILABLE + "[a]\n" + CLUSTER.replace("yes", "no"), "fail", "(a)"),
    ("[global]\nclustering = yes\n[a]\n", "warn", "clustering = yes"),
    ("[global]\n", "warn", "has no shares")])
def test_shares(daemon, smbd, text, verdict, word):
    smbd("4.21.3")
    path = daemon.write("smb.conf", text)
    results = doctor(daemon, "shares", status=1 if verdict == "fail" else 0)
    assert results[("shares", path)][0] == verdict and word in results[("shares", path)][1]
    assert results[("shares", "smbd")][0] == "ok"


def test_shares_of_an_old_smbd(daemon, smbd):
    smbd("4.17.12-Debian")
    daemon.write("smb.conf", "[a]\n" + CLUSTER + AVAILABLE)
    assert doctor(daemon, "shares", status=0)[("shares", "smbd")] == (
        "warn", "version 4.17 cannot announce share capabilities, 4.20 can")


def test_share_that_is_not_utf8(daemon, smbd):
    """JSON cannot have it as it is; the failure is told all the same."""
    smbd("4.21.3")
    path = daemon.write("smb.conf", "")
    with open(path, "wb") as f:
        f.write(b"[f\xe4ile]\n")
    assert "(f\\xe4ile)" in doctor(daemon, "shares", status=1)[("shares", path)][1]
    lines = daemon.ctl("doctor", "shares", check=False).stdout.splitlines()
    assert lines[0].startswith("FAIL  shares ") and "(f\\xe4ile)" in lines[0] and lines[-1].endswith(" 1 failures")


def test_no_smb_conf(start_daemon):
    other = start_daemon({"witness.smb_conf": "/no/such/smb.conf"})
    assert "No such file" in doctor(other, "shares", status=1)[("shares", "/no/such/smb.conf")][1]


# ---- Kerberos ----

@pytest.fixture(scope="module")
def kdc(tmp_path_factory):
    realm = Kdc(tmp_path_factory.mktemp("kdc"))
    realm.add("cifs/FS", "cifs/fs.lab.test", "host/n1.lab.test", "cifs/other")
    realm.start()
    yield realm
    realm.stop()


@pytest.fixture
def with_keytab(kdc, start_daemon, monkeypatch):
    """A daemon with a keytab, in the realm."""
    monkeypatch.setenv("KRB5_CONFIG", kdc.env["KRB5_CONFIG"])

    def start(path, more=()):
        return start_daemon({"auth.keytab": path, "auth.kerberos": "yes", **dict(more)})

    return start


def test_kerberos_is_off(daemon):
    assert only(daemon, "keytab", status=0)[1].startswith("auth.kerberos is off")
    assert only(daemon, "kdc", status=0)[1].startswith("auth.kerberos is off")


def test_keytab_with_all_keys(kdc, with_keytab):
    path = kdc.keytab("all", "cifs/FS", "cifs/fs.lab.test")
    other = with_keytab(path)
    assert doctor(other, "keytab", status=0) == {
        ("keytab", name): ("ok", f"FILE:{path} has a key for cifs/{name}") for name in ("FS", "fs.lab.test")}
    results = doctor(other, "kdc", status=0)
    assert results.pop(("kdc", "clock"))[0] == "ok"
    assert results == {("kdc", f"cifs/{name}@{REALM}"): (
        "ok", "a ticket of the KDC can be decrypted with the keytab") for name in ("FS", "fs.lab.test")}


def test_keytab_with_some_keys(kdc, with_keytab):
    other = with_keytab(kdc.keytab("some", "cifs/fs.lab.test", "cifs/other"))
    results = doctor(other, "keytab", status=0)
    assert [results[("keytab", n)][0] for n in ("FS", "fs.lab.test")] == ["warn", "ok"]


def test_keytab_without_a_name_of_an_address(kdc, with_keytab):
    path = kdc.keytab("address", "cifs/FS", "cifs/fs.lab.test")
    other = with_keytab(path, {"witness.net_name_resources": "FS3:127.0.77.3 fs:127.0.77.2"})
    results = doctor(other, "keytab", status=0)
    assert {k[1]: v[0] for k, v in results.items()} == {"FS": "ok", "fs.lab.test": "ok", "FS3": "warn"}


def test_keytab_with_other_keys(kdc, with_keytab):
    other = with_keytab(kdc.keytab("others", "cifs/other"))
    results = doctor(other, "keytab", status=1)
    assert [results[("keytab", n)][0] for n in ("FS", "fs.lab.test")] == ["fail", "fail"]


def test_no_keytab(with_keytab):
    other = with_keytab("/no/such/keytab")
    assert "/no/such/keytab cannot be read" in only(other, "keytab", status=1)[1]
    assert only(other, "kdc", status=0)[0] == "warn"


def test_keys_that_are_old(kdc, with_keytab):
    """The account logs on by another key; that of the service has changed since."""
    kdc.add("cifs/renewed.lab.test", "host/n2.lab.test")
    path = kdc.keytab("old", "cifs/renewed.lab.test", "host/n2.lab.test")
    kdc.admin("cpw", "-randkey", "cifs/renewed.lab.test")
    other = with_keytab(path, {"witness.net_names": "renewed.lab.test"})
    results = doctor(other, "kdc", status=1)
    assert "the keytab has another key than the KDC" in (
        results[("kdc", f"cifs/renewed.lab.test@{REALM}")][1])
    assert results[("kdc", "clock")][0] == "ok"


def test_key_of_the_logon_is_old(kdc, with_keytab):
    kdc.add("host/n3.lab.test")
    path = kdc.keytab("logon", "host/n3.lab.test")
    kdc.admin("cpw", "-randkey", "host/n3.lab.test")
    results = doctor(with_keytab(path), "kdc", status=1)
    assert results[("kdc", f"host/n3.lab.test@{REALM}")][0] == "fail"


def test_service_that_the_kdc_does_not_know(kdc, with_keytab):
    kdc.add("cifs/gone.lab.test", "host/n4.lab.test")
    path = kdc.keytab("gone", "cifs/gone.lab.test", "host/n4.lab.test")
    kdc.admin("delprinc", "-force", "cifs/gone.lab.test")
    other = with_keytab(path, {"witness.net_names": "gone.lab.test"})
    assert doctor(other, "kdc", status=1)[("kdc", f"cifs/gone.lab.test@{REALM}")] == (
        "fail", "the KDC does not know this service")


@pytest.mark.parametrize("shift, verdict, word", [("+10m", "fail", "behind"), ("-100s", "warn", "ahead of")])
def test_clock_of_the_kdc(kdc, with_keytab, shift, verdict, word):
    path = kdc.keytab("clock", "cifs/FS")
    other = with_keytab(path)
    kdc.stop()
    kdc.start("faketime", "-f", shift)
    try:
        results = doctor(other, "kdc", status=1 if verdict == "fail" else 0)
    finally:
        kdc.stop()
        kdc.start()
    assert results[("kdc", "clock")][0] == verdict and f" s {word} the KDC's" in results[("kdc", "clock")][1]


def test_no_kdc(kdc, with_keytab):
    path = kdc.keytab("silent", "cifs/FS")
    other = with_keytab(path)
    kdc.stop()
    try:
        results = doctor(other, "kdc", status=0)
    finally:
        kdc.start()
    assert results[("kdc", None)][0] == "warn" and "no KDC could be asked" in results[("kdc", None)][1]
