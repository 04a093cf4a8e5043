#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""TCP clients that only read, as one does who waits for a server: stuck.py NAME ADDRESS PORT ...

A line for whatever happens, each with the monotonic clock: TIME NAME connected | reset | closed |
back. After the end of a connection a client connects again, until it is "back". Standard input:
"NAME ADDRESS PORT" starts another one.
"""
import socket
import sys
import threading
import time


one_line = threading.Lock()


def say(name, what):
    stamp = time.clock_gettime(time.CLOCK_MONOTONIC)
    with one_line:
        print(f"{stamp:.6f} {name} {what}", flush=True)


def connect(address, port):
    """Until it works; an attempt that hangs is given up and made again."""
    while True:
        try:
            return socket.create_connection((address, port), timeout=1)
        except OSError:
            time.sleep(0.01)


def client(name, address, port):
    sock = connect(address, port)
    say(name, "connected")
    sock.settimeout(None)
    try:
        what = "data" if sock.recv(1) else "closed"
    except ConnectionResetError:
        what = "reset"
    except OSError as why:
        what = str(why)
    say(name, what)
    connect(address, port)
    say(name, "back")


def start(words):
    threading.Thread(target=client, args=(words[0], words[1], int(words[2])), daemon=True).start()


for first in range(1, len(sys.argv), 3):
    start(sys.argv[first:first + 3])
for line in sys.stdin:
    start(line.split())
