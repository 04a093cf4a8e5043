#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Prints the monotonic clock, and becomes the command: stamped.py COMMAND..."""
import os
import sys
import time

print(f"{time.clock_gettime(time.CLOCK_MONOTONIC):.6f}", flush=True)
os.execvp(sys.argv[1], sys.argv[1:])
