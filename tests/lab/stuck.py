#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""TCP clients that only read, as one does who waits for a server: "NAME ADDRESS PORT [writes]" on
standard input starts one. One that writes says a byte every 0.1 s.

A line for whatever happens, each with the monotonic clock: TIME NAME connected | reset | closed |
back. After the end of a connection a client connects again, until it is "back".
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


def read_only(sock):
    return sock.recv(1)


def write_too(sock):
    sock.settimeout(0.1)
    while True:
        try:
            return sock.recv(1)
        except TimeoutError:
            sock.send(b"x")


def client(name, address, port, wait):
    sock = connect(address, port)
    say(name, "connected")
    sock.settimeout(None)
    try:
        what = "data" if wait(sock) else "closed"
    except ConnectionResetError:
        what = "reset"
    except OSError as why:
        what = str(why)
    say(name, what)
    connect(address, port)
    say(name, "back")


def start(name, address, port, manner=None):
    wait = write_too if manner == "writes" else read_only
    threading.Thread(target=client, args=(name, address, int(port), wait), daemon=True).start()


for line in sys.stdin:
    start(*line.split())
