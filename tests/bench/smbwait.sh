#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# smbwait.sh ADDRESS PORT SERVER CREDENTIALS: lists the share "data", waits for a change in a folder until the
# connection fails, and says "back" as soon as the share can be listed again.
# Ends with this shell.
ask() {
	setpriv --pdeathsig TERM -- stdbuf -o0 smbclient "//$SERVER/data" --ip-address="$ADDRESS" --port="$PORT" --user="$CREDENTIALS" "$@"
}

ADDRESS=$1 PORT=$2 SERVER=$3 CREDENTIALS=$4
ask --command='mkdir waits' >/dev/null 2>&1
ask --timeout=600 --command='ls; notify waits'
until ask --timeout=2 --command=ls >/dev/null 2>&1; do
	sleep 0.02
done
echo back
