#!/bin/sh
# Configuration, spool and files with alerts stay, unless dpkg is told to purge.
set -e
if [ -d /run/systemd/system ]; then
	systemctl daemon-reload
fi
case ${1-} in
remove | 0)
	for dir in /var/lib/ipcwarden /var/log/ipcwarden; do # which the unit makes
		if [ -d "$dir" ]; then
			rmdir --ignore-fail-on-non-empty "$dir"
		fi
	done
	;;
purge)
	rm -rf /var/lib/ipcwarden /var/log/ipcwarden /etc/ipcwarden
	;;
esac
