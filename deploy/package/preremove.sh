#!/bin/sh
# dpkg says remove or upgrade; rpm how many versions are left, 0 or 1.
set -e
case ${1-} in
remove | 0)
	if [ -d /run/systemd/system ]; then
		systemctl stop ipcwarden.service
	fi
	if command -v systemctl >/dev/null; then # which may be without systemd, in a chroot
		systemctl --no-reload disable ipcwarden.service
	fi
	;;
esac
