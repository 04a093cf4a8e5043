# SPDX-License-Identifier: GPL-3.0-or-later
"""A Kerberos realm of a test's own: an MIT KDC on loopback, everything in one folder."""
import os
import signal
import subprocess

from conftest import wait_for
from ports import free_port

REALM = "DOC.TEST"


class Kdc:
    def __init__(self, folder):
        self.dir = str(folder)
        self.port = free_port()
        self.process = None
        self.write("krb5.conf", f"""\
[libdefaults]
    default_realm = {REALM}
    dns_lookup_kdc = false
    dns_lookup_realm = false
    dns_canonicalize_hostname = false
    rdns = false
[realms]
    {REALM} = {{
        kdc = 127.0.0.1:{self.port}
    }}
[domain_realm]
    .lab.test = {REALM}
""")
        self.write("kdc.conf", f"""\
[kdcdefaults]
    kdc_listen = 127.0.0.1:{self.port}
    kdc_tcp_listen = 127.0.0.1:{self.port}
[realms]
    {REALM} = {{
        database_name = {self.dir}/principal
        key_stash_file = {self.dir}/stash
        acl_file = {self.dir}/acl
    }}
[logging]
    kdc = FILE:{self.dir}/kdc.log
""")
        self.env = dict(os.environ, KRB5_CONFIG=f"{self.dir}/krb5.conf",
                        KRB5_KDC_PROFILE=f"{self.dir}/kdc.conf",
                        PATH=os.environ["PATH"] + ":/usr/sbin:/sbin")
        self.run("kdb5_util", "create", "-s", "-P", "master", "-r", REALM)

    def write(self, name, text):
        with open(os.path.join(self.dir, name), "w", encoding="utf-8") as f:
            f.write(text)

    def run(self, *argv):
        done = subprocess.run(argv, env=self.env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, timeout=60, check=False)
        assert done.returncode == 0, (argv, done.stdout)

    def admin(self, *words):
        self.run("kadmin.local", "-q", " ".join(words))

    def add(self, *principals):
        for principal in principals:
            self.admin("addprinc", "-randkey", principal)

    def keytab(self, name, *principals):
        """A new keytab with the keys that the principals have now."""
        path = os.path.join(self.dir, name)
        for principal in principals:
            self.admin("ktadd", "-norandkey", "-k", path, principal)
        return path

    def start(self, *before):
        """Run it, by way of a command like faketime if there is one."""
        self.process = subprocess.Popen([*before, "krb5kdc", "-n"], env=self.env,
                                        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                        stderr=subprocess.DEVNULL, start_new_session=True)
        wait_for(self.listens, "the KDC listens", 30)
        return self

    def listens(self):
        with open("/proc/net/tcp", encoding="ascii") as f:
            return any(line.split()[1] == f"0100007F:{self.port:04X}" and line.split()[3] == "0A"
                       for line in f.readlines()[1:])

    def stop(self):
        if self.process is not None:
            os.killpg(self.process.pid, signal.SIGTERM)  # faketime(1) waits for its child
            self.process.wait(20)
            wait_for(lambda: not self.listens(), "the KDC is gone", 30)
            self.process = None
