# SPDX-License-Identifier: GPL-3.0-or-later
"""What the tests of resource agents share: TAP, and a resource whose agent is run as Pacemaker runs it."""
import contextlib
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import traceback

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.path.abspath(os.environ.get("B", os.path.join(TOP, "build")))
OCF_ROOT = "/usr/lib/ocf"
SUCCESS, GENERIC, ARGS, UNIMPLEMENTED, INSTALLED, CONFIGURED, NOT_RUNNING = 0, 1, 2, 3, 5, 6, 7


class Failed(Exception):
    """A test's reason; run_cases() turns it into "not ok"."""


def check(truth, why):
    if not truth:
        raise Failed(why)


def equal(got, want, what=""):
    check(got == want, f"{what}: {got!r} instead of {want!r}")


def wait_for(what, condition, timeout=20):
    deadline = time.monotonic() + timeout
    while not condition():
        check(time.monotonic() < deadline, f"timed out after {timeout} s waiting for {what}")
        time.sleep(0.02)


def alive(pid):
    """A zombie is not."""
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as f:
            return f.read().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


class Result:
    """How an action ended: status, the reasons for crm_mon, and all that was said."""

    def __init__(self, status, text, seconds):
        self.status = status
        self.text = text
        self.seconds = seconds
        self.reason = "\n".join(re.findall(r"(?m)^ocf-exit-reason:(.*)$", text))

    def __repr__(self):
        return f"exit status {self.status}, said:\n{self.text}"


class Resource:
    """An agent with parameters, in a folder of its own."""

    def __init__(self, agent, **parameters):
        self.agent = agent
        self.dir = tempfile.mkdtemp(prefix="witness-agents-")
        self.parameters = parameters
        self.env = {"PATH": os.environ["PATH"], "STUB": self.dir}

    def __enter__(self):
        return self

    def __exit__(self, *_):
        wait_for("the end of its processes", self.kill)
        shutil.rmtree(self.dir)

    def kill(self):
        """Whatever runs; one that was just about to fork may have left another. @return whether nothing did"""
        pids = self.processes()
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        return not pids

    def path(self, name):
        return os.path.join(self.dir, name)

    def write(self, name, text="", mode=0o600):
        with open(self.path(name), "w", encoding="utf-8") as f:
            f.write(text)
        os.chmod(self.path(name), mode)
        return self.path(name)

    def read(self, name):
        with open(self.path(name), encoding="utf-8") as f:
            return f.read()

    def processes(self):
        """Daemons that have this folder in their arguments."""
        found = []
        for pid in filter(str.isdigit, os.listdir("/proc")):
            try:
                with open(f"/proc/{pid}/cmdline", "rb") as f:
                    words = f.read().decode(errors="replace")
            except OSError:
                continue
            if f"global.pid_file={self.dir}/" in words and alive(pid):
                found.append(int(pid))
        return found

    def run(self, action, timeout_s=20, interval_ms=10000, depth=None, **more):
        env = dict(self.env, OCF_ROOT=OCF_ROOT, OCF_RA_VERSION_MAJOR="1", OCF_RA_VERSION_MINOR="1",
                   OCF_RESOURCE_INSTANCE="witness:0", OCF_RESOURCE_TYPE="witness",
                   OCF_RESOURCE_PROVIDER="samba", OCF_EXIT_REASON_PREFIX="ocf-exit-reason:",
                   OCF_RESKEY_CRM_meta_timeout=str(timeout_s * 1000),
                   OCF_RESKEY_CRM_meta_interval=str(interval_ms))
        if depth is not None:
            env["OCF_RESKEY_OCF_CHECK_LEVEL"] = str(depth)
        for name, value in {**self.parameters, **more}.items():
            env[f"OCF_RESKEY_{name}"] = str(value)
        start = time.monotonic()
        # Pacemaker waits for the end of the output, too: a daemon that keeps it open would hang it.
        done = subprocess.run([self.agent, action], env=env, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              errors="replace", timeout=timeout_s + 10, check=False)
        return Result(done.returncode, done.stdout, time.monotonic() - start)

    def expect(self, status, action, **more):
        result = self.run(action, **more)
        check(result.status == status, f"{action}: {status} expected but {result}")
        return result


def repr_of(trouble):
    return str(trouble) if isinstance(trouble, Failed) else "".join(traceback.format_exception(trouble))


def run_cases(title, cases):
    """TAP: each function in cases is a test, its docstring the name."""
    failed = 0
    for number, function in enumerate(cases, 1):
        name = f"{title}: {function.__doc__.strip()}"
        try:
            why = function()
        except Exception as trouble:  # whatever a test stumbles over, the others go on
            failed += 1
            print(f"not ok {number} - {name}")
            print("".join(f"# {line}\n" for line in repr_of(trouble).splitlines()), end="")
        else:
            print(f"ok {number} - {name}" + (f" # SKIP {why}" if why else ""))
        sys.stdout.flush()
    print(f"1..{len(cases)}")
    sys.exit(1 if failed else 0)
