#!/usr/bin/env bash
# Checks what building ("build"), testing ("test") or testing in virtual machines
# ("vm") needs, and installs what is missing where it knows how: on Debian and
# Ubuntu, as root. Where nothing is missing it prints nothing and touches nothing.
set -euo pipefail
cd "$(dirname "$0")/.."

readonly libbpf_minimum=1.4
readonly apt_dir=$PWD/build/apt

usage() {
	echo "usage: scripts/deps.sh build|test|vm" >&2
	exit 2
}

# What is needed: the checks, and below them the names of the packages.

has_clang() { command -v clang >/dev/null; }
has_llvm_strip() { command -v llvm-strip >/dev/null; }
has_gcc() { command -v gcc >/dev/null; }
has_make() { command -v make >/dev/null; }
has_libc() { has_archive libc; }
has_pkg_config() { command -v pkg-config >/dev/null; }
has_libelf() { has_library libelf 0 && has_archive libelf; }
has_zlib() { has_library zlib 0 && has_archive libz; }
has_libbpf() { has_library libbpf "$libbpf_minimum" && has_archive libbpf; }
has_gcc_32bit() { echo 'int main(void) { return 0; }' | compile -m32 -o /dev/null -; }
has_kernel_headers() { echo '#include <linux/ipc.h>' | compile -fsyntax-only -; }
has_strace() { command -v strace >/dev/null; }
has_stress_ng() { command -v stress-ng >/dev/null; }
has_qemu() { command -v qemu-system-x86_64 >/dev/null; }
has_busybox() { [[ -x /bin/busybox ]] && ! ldd /bin/busybox >/dev/null 2>&1; }

has_library() { has_pkg_config && pkg-config --exists "$1 >= $2"; }

# gcc prints the bare name of a file that it does not find.
has_archive() { [[ $(gcc -print-file-name="$1.a" 2>/dev/null) == */* ]]; }

compile() { gcc -x c "$@" 2>/dev/null; }

# need CHECK WHAT APT DNF PACMAN APK: notes what is missing.
missing_whats=()
missing_packages=()
missing_elsewhere=()
need() {
	"$1" && return
	missing_whats+=("$2")
	missing_packages+=("$3")
	missing_elsewhere+=("Fedora: $4; Arch: $5; Alpine: $6")
}

# The checks of libraries use these tools.
tool_needs() {
	need has_make "make" make make make make
	need has_gcc "gcc" gcc gcc gcc gcc
	need has_clang "clang" clang clang clang clang
	need has_llvm_strip "llvm-strip" llvm llvm llvm llvm
	need has_pkg_config "pkg-config" pkg-config pkgconf pkgconf pkgconf
}

library_needs() {
	need has_libc "the static C library" libc6-dev glibc-static glibc musl-dev
	need has_libelf "libelf.a and its header" libelf-dev elfutils-libelf-devel-static libelf "elfutils-dev"
	need has_zlib "libz.a and its header" zlib1g-dev zlib-ng-compat-static zlib "zlib-dev zlib-static"
	need has_libbpf "libbpf.a >= $libbpf_minimum and its headers" libbpf-dev "libbpf-devel libbpf-static" libbpf libbpf-dev
}

test_needs() {
	need has_kernel_headers "the kernel's user headers" linux-libc-dev kernel-headers linux-api-headers linux-headers
	if [[ $(uname -m) == x86_64 ]]; then
		need has_gcc_32bit "gcc for 32-bit programs" gcc-multilib "glibc-devel.i686 libgcc.i686" "lib32-glibc lib32-gcc-libs" "(none)"
	fi
	need has_strace "strace" strace strace strace strace
	need has_stress_ng "stress-ng" stress-ng stress-ng stress-ng stress-ng
}

vm_needs() {
	need has_qemu "QEMU for x86-64" qemu-system-x86 qemu-system-x86-core qemu-system-x86 qemu-system-x86_64
	need has_busybox "a static busybox" busybox-static busybox busybox busybox-static
}

# Go comes from no package here: distributions seldom have the release that
# go.mod asks for.
check_go() {
	local wanted found
	wanted=$(awk '$1 == "go" { print $2 }' go.mod)
	if ! command -v go >/dev/null; then
		echo "deps: Go $wanted or newer is needed, and there is no go in PATH: see https://go.dev/doc/install" >&2
		exit 1
	fi
	# A go command since 1.21 fetches the release that go.mod asks for.
	if ! found=$(go env GOVERSION); then
		echo "deps: Go $wanted or newer is needed (go.mod), and go cannot fetch it: see https://go.dev/doc/install" >&2
		exit 1
	fi
	found=${found#go}
	if [[ $(printf '%s\n' "$wanted" "$found" | sort -V | head -n 1) != "$wanted" ]]; then
		echo "deps: Go $wanted or newer is needed (go.mod), but this is Go $found: see https://go.dev/doc/install" >&2
		exit 1
	fi
}

# Installation.

codename() { (. /etc/os-release && echo "${VERSION_CODENAME:-}"); }

can_install() {
	command -v apt-get >/dev/null && [[ $(id -u) == 0 ]] &&
		(. /etc/os-release && [[ " $ID ${ID_LIKE:-} " =~ " debian " || $ID == ubuntu ]])
}

give_up() {
	local i
	{
		echo "deps: $1 Missing:"
		for i in "${!missing_whats[@]}"; do
			echo "  ${missing_whats[i]}"
			echo "      Debian, Ubuntu: ${missing_packages[i]}; ${missing_elsewhere[i]}"
		done
	} >&2
	exit 1
}

updated=no
install_missing() {
	local package
	export DEBIAN_FRONTEND=noninteractive
	for package in "${missing_packages[@]}"; do
		if [[ $updated == no ]]; then
			apt-get -qq update </dev/null
			updated=yes
		fi
		echo "installing $package"
		if [[ $package == libbpf-dev ]]; then
			install_libbpf
		else
			apt_install "$package"
		fi
	done
	missing_whats=() missing_packages=() missing_elsewhere=()
}

apt_install() { apt-get -qq install -y --no-install-recommends "$@" </dev/null >/dev/null; }

# The archive's own libbpf is taken if it is new enough.
install_libbpf() {
	local candidate
	candidate=$(apt-cache policy libbpf-dev | awk '$1 == "Candidate:" { print $2 }')
	if [[ -n $candidate && $candidate != "(none)" ]] && dpkg --compare-versions "${candidate#*:}" ge "$libbpf_minimum"; then
		apt_install libbpf-dev
	elif [[ $(codename) == bookworm ]]; then
		install_from_backports libbpf-dev
	else
		give_up "This release has libbpf $candidate; $libbpf_minimum or newer is needed."
	fi
}

# Debian 12 has a new enough libbpf in bookworm-backports. It is fetched through
# lists of our own, from the site that the machine takes bookworm from: the
# machine's own apt configuration stays as it is.
install_from_backports() {
	local site options
	site=$(apt-get indextargets --format '$(REPO_URI) $(CODENAME) $(COMPONENT) $(CREATED_BY)' |
		awk '$2 == "bookworm" && $3 == "main" && $4 == "Packages" { print $1; exit }')
	if [[ -z $site ]]; then
		give_up "apt knows no site of Debian 12 to take bookworm-backports from."
	fi
	mkdir -p "$apt_dir/lists/partial" "$apt_dir/cache/archives/partial"
	echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $site bookworm-backports main" >"$apt_dir/sources.list"
	options=(
		-o "Dir::Etc::sourcelist=$apt_dir/sources.list"
		-o Dir::Etc::sourceparts=/dev/null
		-o "Dir::State::lists=$apt_dir/lists"
		-o "Dir::Cache=$apt_dir/cache"
		-o APT::Sandbox::User=root
	)
	apt-get -qq "${options[@]}" update </dev/null
	apt-get -qq "${options[@]}" install -y --no-install-recommends "$@" </dev/null >/dev/null
}

case ${1-} in
build | test | vm) ;;
*) usage ;;
esac
check_go
tool_needs
if can_install; then
	install_missing
fi
library_needs
if [[ $1 != build ]]; then
	test_needs
fi
if [[ $1 == vm ]]; then
	vm_needs
fi
if [[ ${#missing_whats[@]} == 0 ]]; then
	exit 0
fi
can_install || give_up "Cannot install packages here (that takes apt-get and root)."
install_missing
