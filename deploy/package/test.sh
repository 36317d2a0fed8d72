#!/usr/bin/env bash
# Installs a .deb in a clean Debian, looks at what it brings, and removes it again.
# usage: test.sh FILE.deb, as root; needs debootstrap
set -euo pipefail

die() {
	echo "test-package: $*" >&2
	exit 1
}

[[ $# == 1 && -f $1 ]] || die "usage: test.sh FILE.deb"
[[ $(id -u) == 0 ]] || die "takes root, for a root file system"
command -v debootstrap >/dev/null || die "takes debootstrap: apt-get install debootstrap"
deb=$(realpath "$1")
cd "$(dirname "$0")/../.."

readonly suite=bookworm base=$PWD/build/debian-bookworm.tar
root=$(mktemp -d "${TMPDIR:-/tmp}/ipcwarden-package.XXXXXX")
cleanup() {
	umount "$root/proc" "$root/sys" 2>/dev/null || true # which debootstrap mounts, and leaves if it fails
	rm -rf --one-file-system "$root"
}
trap cleanup EXIT

if [[ ! -e $base ]]; then
	site=$(apt-get indextargets --format '$(REPO_URI) $(CODENAME) $(CREATED_BY)' 2>/dev/null |
		awk -v suite="$suite" '$2 == suite && $3 == "Packages" { print $1; exit }')
	debootstrap --variant=minbase --include=systemd "$suite" "$root" "${site:-https://deb.debian.org/debian}" >"$base.log" 2>&1 ||
		die "debootstrap failed: see $base.log"
	rm -rf "$root"/var/cache/apt/archives/*.deb "$root"/var/lib/apt/lists/*
	tar -C "$root" -cf "$base.new" .
	mv "$base.new" "$base"
else
	tar -C "$root" -xf "$base"
fi

inside() { chroot "$root" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin "$@"; }
files() { find "$root" -xdev -printf '%P\n' | grep -v -e '^var/lib/dpkg/' -e '^var/log/' -e '^proc/' | sort; }

before=$(files)
cp "$deb" "$root/ipcwarden.deb"
inside dpkg -i /ipcwarden.deb
rm "$root/ipcwarden.deb"

echo "== installed"
inside ipcwarden version
inside ipcwarden config check
[[ $(inside stat -c %a /etc/ipcwarden/config.yaml) == 600 ]] || die "the configuration can be read by others"
for file in /usr/share/man/man1/ipcwarden-run.1.gz /usr/share/doc/ipcwarden/sbom.cdx.json /usr/share/bash-completion/completions/ipcwarden; do
	[[ -s $root$file ]] || die "$file is missing"
done
if inside ldd /usr/bin/ipcwarden >/dev/null 2>&1; then
	die "the binary is not static"
fi

echo "== unit"
verified=$(inside systemd-analyze verify --man=no /usr/lib/systemd/system/ipcwarden.service 2>&1) || die "unit refused: $verified"
[[ -z $verified ]] || die "unit warned of: $verified"
inside systemctl enable ipcwarden.service
inside systemd-analyze security --offline=yes /usr/lib/systemd/system/ipcwarden.service | tail -1

echo "== removed"
mkdir -p "$root/var/lib/ipcwarden"
touch "$root/var/lib/ipcwarden/spool" "$root/etc/ipcwarden/signatures/own.rego"
inside dpkg -r ipcwarden
left=$(comm -13 <(echo "$before") <(files))
wanted=$(printf '%s\n' etc/ipcwarden etc/ipcwarden/config.yaml etc/ipcwarden/signatures etc/ipcwarden/signatures/own.rego \
	var/lib/ipcwarden var/lib/ipcwarden/spool | sort)
[[ $left == "$wanted" ]] || die "left after removal: $left"

inside dpkg -P ipcwarden
left=$(comm -13 <(echo "$before") <(files))
[[ -z $left ]] || die "left after purge: $left"
echo "== passed"
