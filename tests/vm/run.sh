#!/usr/bin/env bash
# Runs the end-to-end tests in a virtual machine with a stock Debian kernel: for
# what this host's kernel may not have, 32-bit programs above all. Usage:
#
#     tests/vm/run.sh [ARGUMENT OF THE TEST BINARY]...
#
# VM_KERNEL=FILE boots that image in place of this Debian release's newest one.
#
# Needs bin/ipcwarden and what scripts/deps.sh vm installs. Emulation is in
# software, so that it works inside another virtual machine. It has one CPU: with
# two, QEMU 7.2 now and then goes on running what the kernel has patched away when
# a tracepoint is switched, and both CPUs hang in syscall_trace_enter.
set -euo pipefail
cd "$(dirname "$0")/../.."

readonly work=$PWD/build/vm
readonly boot_limit=${VM_LIMIT:-900} # seconds for everything

# fetch_kernel puts the newest kernel of this release below $work, once.
fetch_kernel() {
	local package
	if [[ -n ${VM_KERNEL:-} ]]; then
		kernel=$VM_KERNEL
		return
	fi
	package=$(apt-cache depends linux-image-amd64 | awk '$1 == "Depends:" { print $2; exit }')
	if [[ -z $package ]]; then
		echo "vm: apt knows no linux-image-amd64; run apt-get update on a Debian host" >&2
		exit 1
	fi
	if [[ ! -e $work/$package ]]; then
		mkdir -p "$work/deb"
		(cd "$work/deb" && apt-get -qq download -o APT::Sandbox::User=root "$package")
		dpkg -x "$work/deb/${package}"_*.deb "$work/deb/$package"
		cp "$work/deb/$package"/boot/vmlinuz-* "$work/$package.new"
		rm -r "$work/deb"
		mv "$work/$package.new" "$work/$package"
	fi
	kernel=$work/$package
}

# copy_with_libraries installs a dynamic program at its own place.
copy_with_libraries() {
	local file
	install -D "$1" "$root/bin/$(basename "$1")"
	ldd "$1" | grep -o '/[^ ]*' | while read -r file; do
		install -D "$file" "$root$file"
	done
}

build_root() {
	root=$work/root
	rm -rf "$root"
	mkdir -p "$root/bin" "$root/programs" "$root/etc"
	cp /bin/busybox bin/ipcwarden "$root/bin/"
	ln -s busybox "$root/bin/sh"
	copy_with_libraries "$(command -v strace)"
	CGO_ENABLED=0 go test -c -o "$root/bin/e2e.test" ./tests/e2e
	(cd tests/e2e && IPCWARDEN_E2E_BUILD=$root/programs "$root/bin/e2e.test")
	install tests/vm/init "$root/init"
	echo 'root:x:0:0:root:/:/bin/busybox' >"$root/etc/passwd"
	echo "$*" >"$root/arguments"
	(cd "$root" && find . | cpio --quiet -o -H newc | gzip -1) >"$work/initramfs.gz"
}

fetch_kernel
build_root "$@"
log=$work/serial.log
timeout "$boot_limit" qemu-system-x86_64 -accel tcg -cpu max -smp 1 -m 2048 -nographic -no-reboot \
	-kernel "$kernel" -initrd "$work/initramfs.gz" -append 'console=ttyS0 quiet panic=-1' </dev/null |
	sed -u 's/\r$//' | tee "$log"
if ! grep -q '^vm: tests ended with 0$' "$log"; then
	echo "vm: the tests failed, or the machine did not get so far; see $log" >&2
	exit 1
fi
