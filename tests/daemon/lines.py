# SPDX-License-Identifier: GPL-3.0-or-later
"""A program that runs beside the test."""
import queue
import subprocess
import threading


class Program:
    """Its lines are read as they come; .seen has those that were taken."""

    def __init__(self, argv, stderr=subprocess.PIPE, **kw):
        self.process = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=stderr,
                                        text=True, **kw)
        self.lines = queue.Queue()
        self.seen = []
        self.reader = threading.Thread(target=self.read)
        self.reader.start()

    def read(self):
        for line in self.process.stdout:
            self.lines.put(line)
        self.lines.put(None)

    def complaints(self):
        """What it has written to standard error; it has ended."""
        return self.process.stderr.read()

    def take(self, timeout=30):
        """The next line, with its end."""
        line = self.lines.get(timeout=timeout)
        assert line is not None, f"it ended after {self.seen}: {self.complaints()}"
        self.seen.append(line)
        return line

    def end(self):
        """Whatever it does."""
        self.process.kill()
        self.process.wait()
        self.reader.join()
        self.process.stdout.close()
        if self.process.stderr is not None:
            self.process.stderr.close()
