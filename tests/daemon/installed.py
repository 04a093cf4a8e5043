# SPDX-License-Identifier: GPL-3.0-or-later
"""What make install leaves, for tests that are a stranger to the source tree; those of the lab use it, too."""
import os
import shlex
import subprocess

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.path.abspath(os.environ.get("B", os.path.join(TOP, "build")))


def must(argv, **kw):
    done = subprocess.run(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, timeout=300, check=False, **kw)
    assert done.returncode == 0, f"{shlex.join(argv)}\n{done.stdout}"
    return done.stdout


def make_install(*variables):
    """With these variables of the Makefile (DESTDIR, PREFIX ...), whatever make we run below."""
    env = {k: v for k, v in os.environ.items() if k not in ("MAKEFLAGS", "MAKELEVEL", "MFLAGS")}
    return must(["make", "-s", "-C", TOP, f"B={BUILD}", "install", *variables], env=env)
