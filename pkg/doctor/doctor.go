// Package doctor finds out what this kernel and these privileges allow, what
// ipcwarden would use of it, and what to do about each thing that is missing.
package doctor

import (
	"fmt"

	"go.uber.org/zap"

	"github.com/ipcwarden/ipcwarden/pkg/event"
	"github.com/ipcwarden/ipcwarden/pkg/probe"
)

// Status is the outcome of a check.
type Status string

// Fail means that ipcwarden cannot run, Warn that it runs with less.
const (
	OK   Status = "ok"
	Warn Status = "warn"
	Fail Status = "fail"
)

// Check is one thing that was looked at.
type Check struct {
	Name   string `json:"name"`
	Status Status `json:"status"`
	Found  string `json:"found"`            // what is there
	Effect string `json:"effect,omitempty"` // what follows from it, unless all is well
	Remedy string `json:"remedy,omitempty"` // what to do about it
}

// Report is the whole examination.
type Report struct {
	Usable bool    `json:"usable"`
	Hook   string  `json:"hook,omitempty"` // what would be used
	Why    string  `json:"why"`
	Checks []Check `json:"checks"`
}

// Examine looks at everything, and in the end attaches the probe for real and
// detaches it again: only that proves that it can.
func Examine() *Report {
	r := &Report{}
	for _, check := range []func() Check{
		architecture, kernel, typeInformation, capabilities, lockdown, compatCalls, pidNamespace, cgroups, jit,
	} {
		r.Checks = append(r.Checks, check())
	}
	hook := attach()
	r.Checks = append(r.Checks, hook)
	r.Checks = append(r.Checks, otherHooks()...)
	if r.Usable = hook.Status == OK; r.Usable {
		r.Hook = probe.HookTracepoint
		r.Why = "raw tracepoints attach, and see native and 32-bit calls alike"
	} else {
		r.Why = hook.Found
	}
	return r
}

func attach() Check {
	c := Check{Name: "hook tracepoint"}
	p, err := probe.Open(probe.Options{Filter: probe.Filter{Events: event.All}, Log: zap.NewNop()})
	if err == nil {
		err = p.Close()
	}
	if err != nil {
		c.Status, c.Found = Fail, err.Error()
		c.Effect = "nothing can be captured"
		c.Remedy = "mend what failed above; if nothing did, run ipcwarden trace --log-level debug and read what libbpf says"
		return c
	}
	c.Status, c.Found = OK, "attached and detached again: sys_enter, sys_exit, sched_process_exit"
	return c
}

// otherHooks says what else the kernel offers. This version attaches by
// tracepoints only, so none of it is needed.
func otherHooks() []Check {
	describe := func(name string, there bool, what string) Check {
		c := Check{Name: name, Status: OK, Found: fmt.Sprintf("%s; not used by this version", what)}
		if !there {
			c.Found = fmt.Sprintf("the kernel offers none (%s); not used by this version", what)
		}
		return c
	}
	return []Check{
		describe("hook kprobe", exists(kprobePMU), kprobePMU),
		describe("hook lsm", lsmHasBPF(), lsmFile),
	}
}
