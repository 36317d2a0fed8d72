#!/bin/bash
# Runs in the Debian that boot.sh boots: installs the package, and looks at the unit.
set -euo pipefail

step() { echo "ok: $* ($((SECONDS))s)"; }

failed() {
	echo "failed at line $1"
	systemctl status --no-pager --lines 0 ipcwarden || true
	journalctl -b -o cat --no-pager | tail -n 40
}
trap 'failed $LINENO' ERR

said() { journalctl -u ipcwarden -o cat --no-pager; }
is() { [[ $(systemctl show ipcwarden -P "$1") == "$2" ]]; }
says() { said | grep -F -- "$1" >/dev/null; }
soon() { timeout 300 bash -c "until $1; do sleep 0.5; done"; }

# configure sets the unit's lines, until the next call.
configure() {
	mkdir -p /run/systemd/system/ipcwarden.service.d
	printf '%s\n' '[Service]' 'TimeoutStartSec=infinity' "$@" >/run/systemd/system/ipcwarden.service.d/guest.conf
	systemctl daemon-reload
}

# exposure is the line with which systemd-analyze security ends, without the arrow.
exposure() { systemd-analyze security --no-pager ipcwarden.service | tail -n 1 | sed 's/^[^:]*: //'; }

dpkg -i /root/ipcwarden.deb >/dev/null
is ActiveState inactive
step "installed on $(uname -r) with $(systemctl --version | head -n 1), and not started"

configure WatchdogSec=30
systemctl enable --quiet ipcwarden
systemctl start ipcwarden
is ActiveState active
ipcwarden status >/dev/null
step "started, and ready when systemd says so: $(said | grep -o '"hook":"[a-z]*"')"

# CAP_BPF, and a filter for system calls.
pid=$(systemctl show ipcwarden -P MainPID)
[[ $(awk '/^(CapPrm|CapEff|NoNewPrivs|Seccomp):/ { printf "%s ", $2 }' "/proc/$pid/status") == "0000008000000000 0000008000000000 1 2 " ]]
step "left with one capability; exposure $(exposure)"

ipcwarden simulate IPCW-002 IPCW-003 --verify --timeout 60s
says '"id":"IPCW-002"'
says '"id":"IPCW-003"'
step "two attacks are alerts in the journal"

systemctl reload ipcwarden
soon 'journalctl -u ipcwarden -o cat | grep -q "signatures reloaded"'
soon 'systemctl is-active --quiet ipcwarden'
is MainPID "$pid"
ipcwarden status >/dev/null
step "reloaded, by the same process"

kill -STOP "$pid"
soon '[[ $(systemctl show ipcwarden -P NRestarts) == 1 ]]'
soon 'systemctl is-active --quiet ipcwarden'
says 'Watchdog timeout'
step "killed by the watchdog when it stops to read, and restarted"

systemctl stop ipcwarden
is Result success
is ExecMainStatus 0
says '"msg":"stopped"'
step "stopped, with exit code 0"

for hook in fentry kprobe tracepoint; do
	ipcwarden doctor | grep "^ok .*hook $hook " >/dev/null || continue
	configure "Environment=IPCWARDEN_CAPTURE_HOOK=$hook"
	systemctl start ipcwarden
	ipcwarden simulate IPCW-002 --verify --timeout 60s >/dev/null
	step "an attack is an alert with hook $hook"
	systemctl stop ipcwarden
done

configure PrivateNetwork=yes IPAddressDeny=any RestrictAddressFamilies= RestrictAddressFamilies=AF_UNIX
systemctl start ipcwarden
ipcwarden simulate IPCW-002 --verify --timeout 60s >/dev/null
step "without a network, exposure $(exposure)"

dpkg -r ipcwarden >/dev/null 2>&1
[[ $(systemctl is-active ipcwarden || true) == inactive && ! -e /run/ipcwarden ]]
step "removed while it ran, and stopped"
echo "== passed"
