#!/usr/bin/env bash
# Installs a .deb and a .rpm, each in a clean Debian, looks at what they bring, and removes
# them again: both must bring the same, and leave nothing but configuration and spool.
# usage: install.sh DEBIAN.tar FILE.deb FILE.rpm, as root
set -euo pipefail
source "$(dirname "$0")/isolate.sh"

[[ $# == 3 ]] || die "usage: install.sh DEBIAN.tar FILE.deb FILE.rpm"
readonly debian=$1 deb=$2 rpm=$3 unit=/usr/lib/systemd/system/ipcwarden.service

inside() { chroot "$root" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin "$@"; }

# In Debian rpm knows none of what is installed, so dependencies are not looked at.
by_rpm() { rpm --root "$root" --dbpath /var/lib/rpm --force-debian --nodeps "$@"; }

# files lists what is in the file system, but for the package managers' books.
files() {
	find "$root" -xdev -printf '%P %m %u %g %l\n' | grep -vE '^var/(lib/(dpkg|rpm)[/ ]|log/dpkg\.log )' | sort
}

# added lists what there is now and was not there before.
added() { comm -13 <(echo "$before") <(files); }

check_files() {
	local file
	[[ $(inside stat -c '%a %U' /etc/ipcwarden/config.yaml) == "600 root" ]] || die "the configuration can be read by others"
	for file in man/man1/ipcwarden.1.gz man/man1/ipcwarden-run.1.gz doc/ipcwarden/sbom.cdx.json bash-completion/completions/ipcwarden \
		zsh/site-functions/_ipcwarden fish/vendor_completions.d/ipcwarden.fish; do
		[[ -s $root/usr/share/$file ]] || die "/usr/share/$file is missing"
	done
	! ldd "$root/usr/bin/ipcwarden" >/dev/null 2>&1 || die "the binary is not static"
	inside ipcwarden version >/dev/null
	inside ipcwarden config check >/dev/null
	passed "a static binary that runs, configuration that it accepts and nobody else reads, manual, completions, SBOM"
}

check_unit() {
	local said
	said=$(inside systemd-analyze verify --man=no "$unit" 2>&1) || die "systemd-analyze verify refuses the unit: $said"
	[[ -z $said ]] || die "systemd-analyze verify warns of: $said"
	passed "systemd-analyze verify accepts the unit"
	[[ $(inside systemctl is-enabled ipcwarden.service || true) == disabled ]] || die "installing enables the unit"
	inside systemctl enable ipcwarden.service 2>/dev/null
	passed "not enabled unless asked; systemd-analyze security: $(inside systemd-analyze security --offline=yes "$unit" | tail -1 | sed 's/^[^:]*: //')"
}

# use leaves what a daemon and its administrator would.
use() {
	mkdir -p "$root"/var/{lib,log}/ipcwarden
	touch "$root/var/lib/ipcwarden/spool" "$root/etc/ipcwarden/signatures/own.rego"
	echo "# changed" >>"$root/etc/ipcwarden/config.yaml"
}

check_left() {
	local left kept
	left=$(added | cut -d ' ' -f 1)
	for kept in var/lib/ipcwarden/spool etc/ipcwarden/signatures/own.rego "$1"; do
		grep -qx "$kept" <<<"$left" || die "removing takes $kept"
	done
	if left=$(grep -vE '^(etc|var/lib)/ipcwarden(/|$)' <<<"$left"); then
		die "removing leaves $left"
	fi
	passed "removing leaves configuration and spool, and nothing else"
}

for package in "$deb" "$rpm"; do
	format=${package##*.} root=/mnt/${package##*.}
	echo "== ${package##*/}"
	mkdir "$root"
	tar -C "$root" -xf "$debian"
	mount -t proc proc "$root/proc"
	mount -t tmpfs run "$root/run"
	mkdir -p "$root"/usr/share/{zsh/site-functions,fish/vendor_completions.d} # which are no package's of our kind on Fedora
	before=$(files)
	case $format in
	deb)
		cp "$package" "$root/run/ipcwarden.deb"
		inside dpkg -i /run/ipcwarden.deb >/dev/null
		rm "$root/run/ipcwarden.deb"
		;;
	rpm) by_rpm -i "$package" ;;
	esac
	added >"/mnt/$format.added"
	passed "installed: $(wc -l <"/mnt/$format.added") files and directories"
	check_files
	check_unit
	use
	case $format in
	deb)
		inside dpkg -r ipcwarden >/dev/null 2>&1
		check_left etc/ipcwarden/config.yaml
		inside dpkg -P ipcwarden >/dev/null
		[[ -z $(added) ]] || die "purging leaves $(added)"
		passed "purging leaves nothing"
		;;
	rpm)
		by_rpm -e ipcwarden 2>/dev/null
		check_left etc/ipcwarden/config.yaml.rpmsave
		;;
	esac
done
diff /mnt/deb.added /mnt/rpm.added >&2 || die "the packages bring different files"
passed "both packages bring the same files, with the same modes"
