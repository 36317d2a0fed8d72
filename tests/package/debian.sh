#!/usr/bin/env bash
# Makes a clean Debian, as a tar file: what every Debian has, and systemd.
# usage: debian.sh FILE.tar, as root
set -euo pipefail
source "$(dirname "$0")/isolate.sh"

[[ $# == 1 ]] || die "usage: debian.sh FILE.tar"
readonly suite=bookworm root=/mnt/debian
# The site that this machine takes it from, or else debootstrap's own choice.
site=$(apt-get indextargets --format '$(REPO_URI) $(CODENAME) $(CREATED_BY)' 2>/dev/null |
	awk -v suite="$suite" '$2 == suite && $3 == "Packages" && !site { site = $1 } END { print site }') || true
debootstrap --variant=minbase --include=systemd "$suite" "$root" ${site:+"$site"} >/mnt/log 2>&1 || {
	tail -n 20 /mnt/log >&2
	die "debootstrap failed"
}
rm -rf "$root"/var/cache/apt/archives/*.deb "$root"/var/lib/apt/lists/*
tar -C "$root" --one-file-system -cf "$1" .
