package main

import (
	"os/exec"
	"os/user"
	"strings"
)

// workload is something that hosts do.
type workload struct {
	name  string
	what  string
	needs []need
	play  func(*stage) error
}

var workloads = []workload{
	{"postgresql", "initdb, pgbench, restart, shared_memory_type=sysv", []need{program(postgresProgram), account("postgres")}, postgresql},
	{"fakeroot", "builds a Debian package", []need{program("fakeroot"), program("dpkg-buildpackage"), program("make")}, buildPackage},
	{"stress-ng", "semaphores under load", []need{program("stress-ng")}, stress},
	{"apache", "serves requests and restarts, with a System V mutex", []need{program(apacheProgram), account("www-data")}, apache},
	{"util-linux", "ipcmk, ipcs, ipcrm by owner and root", []need{program("ipcmk"), program("ipcs"), program("ipcrm")}, tools},
	{"x11", "MIT-SHM images in an Xvfb of the same user", []need{program("Xvfb"), program("x11perf")}, x11("nobody")},
	{"x11-root", "MIT-SHM images in an Xvfb of root", []need{program("Xvfb"), program("x11perf")}, x11("root")},
	{"perl", "IPC::SysV, IPC::Msg, IPC::Semaphore, IPC::SharedMem", []need{module("IPC::SysV"), module("IPC::SharedMem")}, perl},
	{"perl-share", "IPC::ShareLite, IPC::Shareable among processes", []need{module("IPC::ShareLite"), module("IPC::Shareable")}, perlShare},
	{"python", "sysv_ipc", []need{pythonModule("sysv_ipc")}, python},
}

func find(name string) *workload {
	for i := range workloads {
		if workloads[i].name == name {
			return &workloads[i]
		}
	}
	return nil
}

// need says what is missing of it, or "" if it is there.
type need func() (missing string)

// missing says what keeps the workload from being played, or "".
func (w *workload) missing() string {
	var list []string
	for _, n := range w.needs {
		if m := n(); m != "" {
			list = append(list, m)
		}
	}
	return strings.Join(list, ", ")
}

func program(name string) need {
	return func() string {
		if _, err := exec.LookPath(name); err != nil {
			return "no " + name
		}
		return ""
	}
}

func account(name string) need {
	return func() string {
		if _, err := user.Lookup(name); err != nil {
			return "no user " + name
		}
		return ""
	}
}

func module(name string) need {
	return func() string {
		if exec.Command(perlProgram, "-M"+name, "-e1").Run() != nil {
			return "no Perl module " + name
		}
		return ""
	}
}

func pythonModule(name string) need {
	return func() string {
		if exec.Command(pythonProgram, "-c", "import "+name).Run() != nil {
			return "no Python module " + name
		}
		return ""
	}
}
