# Sourced by scripts that root runs: runs them again in mount and PID namespaces of their
# own, with a file system in memory at /mnt. All that they mount, write there and start is
# gone when they end, however they do.

die() {
	echo "${0##*/}: $*" >&2
	exit 1
}

passed() { echo "ok: $*"; }

[[ $(id -u) == 0 ]] || die "takes root, for namespaces and a root file system"
if [[ $$ != 1 ]]; then
	setpriv --pdeathsig KILL unshare --mount --pid --fork --kill-child --mount-proc "$0" "$@" </dev/null &
	trap 'kill -KILL $!; wait $! 2>/dev/null || true; exit 130' INT TERM HUP
	wait $!
	exit
fi
mount -t tmpfs -o mode=0755 memory /mnt
