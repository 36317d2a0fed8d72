#!/bin/sh
# Configuration and spool stay, unless dpkg is told to purge.
set -e
if [ -d /run/systemd/system ]; then
	systemctl daemon-reload
fi
if [ "${1-}" = purge ]; then
	rm -rf /var/lib/ipcwarden /var/log/ipcwarden /etc/ipcwarden
fi
