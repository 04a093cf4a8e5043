#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""A server that accepts and says nothing, on IPv4 and IPv6 by one socket or on one address:
listen.py PORT [ADDRESS]"""
import socket
import sys

address = sys.argv[2] if len(sys.argv) > 2 else "::"
server = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET)
server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
server.bind((address, int(sys.argv[1])))
server.listen(128)
print("ready", flush=True)
accepted = []
while True:
    accepted.append(server.accept())
