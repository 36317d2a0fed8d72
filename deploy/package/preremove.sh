#!/bin/sh
# dpkg says remove or upgrade; rpm how many versions are left, 0 or 1.
set -e
case ${1-} in
remove | 0)
	if [ -d /run/systemd/system ]; then
		systemctl --no-reload disable --now ipcwarden.service
	elif [ -e /etc/systemd/system/multi-user.target.wants/ipcwarden.service ]; then
		rm /etc/systemd/system/multi-user.target.wants/ipcwarden.service
	fi
	;;
esac
