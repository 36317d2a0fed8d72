#!/bin/sh
# The unit is neither enabled nor started: what to watch for is the administrator's
# to decide first. What runs already goes on with the new version; if that does not
# start, say for a setting that it does not know, it is installed all the same.
set -e
if [ -d /run/systemd/system ]; then
	systemctl daemon-reload
	systemctl try-restart ipcwarden.service || true
fi
