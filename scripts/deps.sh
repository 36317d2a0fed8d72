#!/usr/bin/env bash
# Checks what building ("build"), testing ("test"), testing in virtual machines
# ("vm"), with other people's programs ("benign") or of packages ("package") needs, and
# installs what is missing where it knows how: on Debian and Ubuntu, as root. Where
# nothing is missing it prints nothing and touches nothing.
# With arm64 it does so for that architecture too, where that is not this machine's
# own: compilers and emulator are installed, and what is made of arm64 code is
# unpacked below build/sysroot/arm64.
set -euo pipefail
cd "$(dirname "$0")/.."

readonly libbpf_minimum=1.4
readonly apt_dir=$PWD/build/apt

usage() {
	echo "usage: scripts/deps.sh build|test|vm|benign|package [arm64]" >&2
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
has_python() { command -v python3 >/dev/null; }
has_stress_ng() { command -v stress-ng >/dev/null; }
has_qemu() { command -v qemu-system-x86_64 >/dev/null; }
has_busybox() { [[ -x /bin/busybox ]] && ! ldd /bin/busybox >/dev/null 2>&1; }
has_debootstrap() { command -v debootstrap >/dev/null; }
has_rpm() { command -v rpm >/dev/null; }
has_postgresql() { [[ -x /usr/lib/postgresql/15/bin/postgres ]]; }
has_package_tools() { command -v dpkg-buildpackage >/dev/null; }
has_fakeroot() { command -v fakeroot >/dev/null; }
has_apache() { [[ -x /usr/sbin/apache2 ]]; }
has_xvfb() { command -v Xvfb >/dev/null; }
has_x11perf() { command -v x11perf >/dev/null; }
has_sharelite() { /usr/bin/perl -MIPC::ShareLite -e1 2>/dev/null; }
has_shareable() { /usr/bin/perl -MIPC::Shareable -e1 2>/dev/null; }
has_sysv_ipc() { /usr/bin/python3 -c 'import sysv_ipc' 2>/dev/null; }
has_arm_gcc() { command -v arm-linux-gnueabihf-gcc >/dev/null; }
has_arm_libc() { has_archive libc arm-linux-gnueabihf-; }
has_foreign_gcc() { command -v "$triplet-gcc" >/dev/null; }
has_foreign_libc() { has_archive libc "$triplet-"; }
has_foreign_qemu() { command -v qemu-system-aarch64 >/dev/null; }

has_library() { has_pkg_config && pkg-config --exists "$1 >= $2"; }

# gcc prints the bare name of a file that it does not find.
has_archive() { [[ $("${2-}gcc" -print-file-name="$1.a" 2>/dev/null) == */* ]]; }

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
	case $(uname -m) in
	x86_64) need has_gcc_32bit "gcc for 32-bit programs" "gcc-$(gcc -dumpversion)-multilib" "glibc-devel.i686 libgcc.i686" "lib32-glibc lib32-gcc-libs" "(none)" ;;
	aarch64) arm_needs ;;
	esac
	need has_strace "strace" strace strace strace strace
	need has_python "Python, for the receiver of docs/delivery.md" python3 python3 python python3
	need has_stress_ng "stress-ng" stress-ng stress-ng stress-ng stress-ng
}

arm_needs() {
	need has_arm_gcc "gcc for 32-bit ARM programs" gcc-arm-linux-gnueabihf "(none)" "(none)" "(none)"
	need has_arm_libc "the static C library for 32-bit ARM" libc6-dev-armhf-cross "(none)" "(none)" "(none)"
}

foreign_needs() {
	need has_foreign_gcc "gcc for $foreign" gcc-aarch64-linux-gnu gcc-aarch64-linux-gnu aarch64-linux-gnu-gcc "(none)"
	need has_foreign_libc "the static C library for $foreign" libc6-dev-arm64-cross "(none)" aarch64-linux-gnu-glibc "(none)"
	if [[ $1 != build ]]; then
		arm_needs
	fi
	if [[ $1 == vm ]]; then
		need has_foreign_qemu "QEMU for $foreign" qemu-system-arm qemu-system-aarch64-core qemu-system-aarch64 qemu-system-aarch64
	fi
}

vm_needs() {
	need has_qemu "QEMU for x86-64" qemu-system-x86 qemu-system-x86-core qemu-system-x86 qemu-system-x86_64
	need has_busybox "a static busybox" busybox-static busybox busybox busybox-static
}

package_needs() {
	need has_debootstrap "debootstrap" debootstrap debootstrap debootstrap debootstrap
	need has_rpm "rpm" rpm rpm rpm-tools rpm
}

# The programs of tests/benign are those of Debian.
benign_needs() {
	export RUNLEVEL=1 # so that servers are installed and not started
	need has_stress_ng "stress-ng" stress-ng stress-ng stress-ng stress-ng
	need has_postgresql "PostgreSQL 15" postgresql-15 "(none)" "(none)" "(none)"
	need has_package_tools "dpkg-buildpackage" dpkg-dev "(none)" "(none)" "(none)"
	need has_fakeroot "fakeroot" fakeroot "(none)" "(none)" "(none)"
	need has_apache "Apache httpd" apache2-bin "(none)" "(none)" "(none)"
	need has_xvfb "Xvfb" xvfb "(none)" "(none)" "(none)"
	need has_x11perf "x11perf" x11-apps "(none)" "(none)" "(none)"
	need has_sharelite "Perl's IPC::ShareLite" libipc-sharelite-perl "(none)" "(none)" "(none)"
	need has_shareable "Perl's IPC::Shareable" libipc-shareable-perl "(none)" "(none)" "(none)"
	need has_sysv_ipc "Python's sysv_ipc" python3-sysv-ipc "(none)" "(none)" "(none)"
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

# What is of a foreign architecture comes as files of packages, and is in no
# package manager's books. apt has lists of our own for it, in $foreign_apt, where
# tests/vm finds kernels too, with APT_CONFIG=build/apt-arm64/apt.conf.

# unpack_foreign FILE PACKAGE...: unpacks packages below $sysroot if FILE is not there.
unpack_foreign() {
	local file=$sysroot/$1 package
	shift
	[[ -e $file ]] && return
	update_foreign
	for package; do
		echo "unpacking $package for $foreign"
		rm -f "$foreign_apt/${package%/*}"_*.deb
		(cd "$foreign_apt" && APT_CONFIG=$foreign_apt/apt.conf apt-get -qq download "$package" </dev/null)
		dpkg -x "$foreign_apt/${package%/*}"_*.deb "$sysroot"
		rm "$foreign_apt/${package%/*}"_*.deb
	done
}

# update_foreign makes the lists, from the sites that this machine takes its own
# release from.
foreign_updated=no
update_foreign() {
	local release site suite key=/usr/share/keyrings/debian-archive-keyring.gpg
	[[ $foreign_updated == yes ]] && return
	release=$(codename)
	mkdir -p "$foreign_apt/lists/partial" "$foreign_apt/cache/archives/partial" "$sysroot"
	apt-get indextargets --format '$(REPO_URI) $(CODENAME) $(COMPONENT) $(CREATED_BY)' |
		awk -v release="$release" '$2 ~ "^" release "(-updates|-security)?$" && $3 == "main" && $4 == "Packages" { print $1, $2 }' |
		sort -u | while read -r site suite; do
		echo "deb [signed-by=$key] $site $suite main"
		if [[ $suite == bookworm ]]; then
			echo "deb [signed-by=$key] $site bookworm-backports main"
		fi
	done >"$foreign_apt/sources.list"
	if [[ ! -s $foreign_apt/sources.list ]] || ! grep -q '^ID=debian$' /etc/os-release; then
		echo "deps: libraries for $foreign are fetched on a release of Debian only; unpack them below $sysroot" >&2
		exit 1
	fi
	: >"$foreign_apt/status"
	cat >"$foreign_apt/apt.conf" <<-EOF
		APT::Architecture "$foreign";
		APT::Architectures { "$foreign"; };
		APT::Sandbox::User "root";
		Dir::Etc::sourcelist "$foreign_apt/sources.list";
		Dir::Etc::sourceparts "/dev/null";
		Dir::State::lists "$foreign_apt/lists";
		Dir::State::status "$foreign_apt/status";
		Dir::Cache "$foreign_apt/cache";
	EOF
	APT_CONFIG=$foreign_apt/apt.conf apt-get -qq update </dev/null
	foreign_updated=yes
}

unpack_foreign_libraries() {
	local libbpf=libbpf-dev
	if [[ $(codename) == bookworm ]]; then
		libbpf=libbpf-dev/bookworm-backports
	fi
	unpack_foreign "usr/lib/$triplet/libelf.a" libelf-dev libzstd-dev
	unpack_foreign "usr/lib/$triplet/libz.a" zlib1g-dev
	unpack_foreign "usr/lib/$triplet/libbpf.a" "$libbpf"
}

unpack_foreign_programs() {
	unpack_foreign bin/busybox busybox-static
	unpack_foreign usr/bin/strace libc6 libgcc-s1 liblzma5 libunwind8 strace
}

case ${1-} in
build | test | vm | benign | package) ;;
*) usage ;;
esac
check_go
case ${2-} in
'' | "$(go env GOHOSTARCH)") foreign= ;;
arm64) foreign=arm64 ;;
*) usage ;;
esac
readonly foreign triplet=aarch64-linux-gnu
readonly sysroot=$PWD/build/sysroot/$foreign foreign_apt=$PWD/build/apt-$foreign
tool_needs
if can_install; then
	install_missing
fi
library_needs
case $1 in
test | vm) test_needs ;;
benign) benign_needs ;;
package) package_needs ;;
esac
if [[ $1 == vm ]]; then
	vm_needs
fi
if [[ -n $foreign ]]; then
	foreign_needs "$1"
fi
if [[ ${#missing_whats[@]} != 0 ]]; then
	can_install || give_up "Cannot install packages here (that takes apt-get and root)."
	install_missing
fi
if [[ -n $foreign ]]; then
	unpack_foreign_libraries
fi
if [[ -n $foreign && $1 == vm ]]; then
	unpack_foreign_programs
fi
