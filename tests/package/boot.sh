#!/usr/bin/env bash
# Boots systemd in a clean Debian, as a container with namespaces and control groups of its
# own under this kernel, and has guest.sh install the .deb there and look at the running unit.
# usage: boot.sh DEBIAN.tar FILE.deb, as root
set -euo pipefail

# The group that is the top to systemd. Processes of a run that was killed may take a moment to end.
group=$(findmnt -n -t cgroup2 -o TARGET | head -n 1)/ipcwarden-boot
leave() {
	local try
	for try in {1..20}; do
		[[ -d $group ]] || return 0
		find "$group" -depth -type d -exec rmdir {} + 2>/dev/null || sleep 0.2
	done
}
trap leave EXIT
source "$(dirname "$0")/isolate.sh"

[[ $# == 2 ]] || die "usage: boot.sh DEBIAN.tar FILE.deb"
[[ $group == /*/ipcwarden-boot ]] || die "takes a mounted cgroup2"
readonly root=/mnt/debian

mkdir "$root"
mount --bind "$root" "$root"
tar -C "$root" -xf "$1"
cp "$2" "$root/root/ipcwarden.deb"
cp "$(dirname "$0")/guest.sh" "$root/root/guest.sh"
touch "$root/said"
# The machine ends with this unit.
cat >"$root/etc/systemd/system/guest.service" <<-'END'
	[Unit]
	SuccessAction=exit-force
	FailureAction=exit-force
	[Service]
	Type=oneshot
	ExecStart=/bin/bash /root/guest.sh
	StandardOutput=append:/said
	StandardError=append:/said
END

# What the unit's sandbox is made of has to be there.
mount -t sysfs sys "$root/sys"
mount -t tracefs tracing "$root/sys/kernel/tracing" 2>/dev/null || true
mount -t tmpfs -o mode=0755 dev "$root/dev"
for device in null zero full random urandom tty; do
	mknod -m 0666 "$root/dev/$device" c $(stat -c '%Hr %Lr' "/dev/$device")
done
ln -s pts/ptmx "$root/dev/ptmx"

mkdir -p "$group"
(
	echo $BASHPID >"$group/cgroup.procs"
	exec unshare --mount --pid --cgroup --uts --ipc --net --fork --kill-child bash -ec "
		mount -t proc proc '$root/proc'
		mount -t cgroup2 groups '$root/sys/fs/cgroup'
		cd '$root'
		pivot_root . mnt
		umount -l /mnt
		exec env -i container=other PATH=/usr/sbin:/usr/bin:/sbin:/bin \\
			/usr/lib/systemd/systemd --unit=guest.service --log-target=journal"
) &
tail -n +1 -f --pid $! "$root/said"
wait $! || true
[[ $(tail -n 1 "$root/said") == "== passed" ]] || die "failed"
