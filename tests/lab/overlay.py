# SPDX-License-Identifier: GPL-3.0-or-later
"""witnessd and libswnclient as an administrator installs them, in boxes of the lab that have none."""
import os
import shutil
import sys
import tempfile
from contextlib import ExitStack

from labtest import TOP, check, must, run

sys.path.insert(0, os.path.join(TOP, "tests/daemon"))
import installed  # noqa: E402  pylint: disable=wrong-import-position


class Installed:
    """What make install puts below /usr, laid over the boxes' own."""

    def __init__(self, *boxes):
        self.boxes = boxes
        self.undo = None

    def __enter__(self):
        with ExitStack() as stack:
            root = tempfile.mkdtemp(prefix="witness-lab-installed-")
            stack.callback(shutil.rmtree, root)
            try:
                installed.make_install(f"DESTDIR={root}")
            except AssertionError as why:
                check(False, why)
            for box in self.boxes:
                must(box, "mount", "-t", "overlay", "-o", f"lowerdir={root}/usr:/usr", "overlay", "/usr")
                stack.callback(run, box, "umount", "--lazy", "/usr")
            self.undo = stack.pop_all()
        return self

    def __exit__(self, *_):
        self.undo.close()
