#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""A server that accepts, on IPv4 and IPv6 by one socket, and says nothing: listen.py PORT"""
import socket
import sys

server = socket.socket(socket.AF_INET6)
server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
server.bind(("::", int(sys.argv[1])))
server.listen(128)
print("ready", flush=True)
accepted = []
while True:
    accepted.append(server.accept())
