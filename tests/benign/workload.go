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
	// profile is a file with the configuration that hosts need where this is done on
	// purpose; none for what any host may do.
	profile string
}

// stressProfile has the suppressions for stress-ng, as users have them.
const stressProfile = "deploy/examples/stress-ng.yaml"

var workloads = []workload{
	{name: "postgresql", what: "initdb, pgbench, restart, shared_memory_type=sysv", needs: []need{program(postgresProgram), account("postgres")}, play: postgresql},
	{name: "fakeroot", what: "builds a Debian package", needs: []need{program("fakeroot"), program("dpkg-buildpackage"), program("make")}, play: buildPackage},
	{name: "stress-ng", what: "semaphores under load", needs: []need{program("stress-ng")}, play: stress},
	{
		name: "stress-ng-ipc", what: "its stressors of queues, semaphores and segments, with " + stressProfile,
		needs: []need{program("stress-ng")}, play: stressAll, profile: stressProfile,
	},
	{name: "apache", what: "serves requests and restarts, with a System V mutex", needs: []need{program(apacheProgram), account("www-data")}, play: apache},
	{name: "util-linux", what: "ipcmk, ipcs, ipcrm by owner and root", needs: []need{program("ipcmk"), program("ipcs"), program("ipcrm")}, play: tools},
	{name: "x11", what: "MIT-SHM images in an Xvfb of the same user", needs: []need{program("Xvfb"), program("x11perf")}, play: x11("nobody")},
	{name: "x11-root", what: "MIT-SHM images in an Xvfb of root", needs: []need{program("Xvfb"), program("x11perf")}, play: x11("root")},
	{name: "perl", what: "IPC::SysV, IPC::Msg, IPC::Semaphore, IPC::SharedMem", needs: []need{module("IPC::SysV"), module("IPC::SharedMem")}, play: perl},
	{name: "perl-share", what: "IPC::ShareLite, IPC::Shareable among processes", needs: []need{module("IPC::ShareLite"), module("IPC::Shareable")}, play: perlShare},
	{name: "python", what: "sysv_ipc", needs: []need{pythonModule("sysv_ipc")}, play: python},
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
