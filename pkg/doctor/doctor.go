// Package doctor finds out what this kernel and these privileges allow, what
// ipcwarden would use of it, and what to do about each thing that is missing.
package doctor

import (
	"errors"
	"fmt"
	"strings"

	"go.uber.org/zap"

	"github.com/ipcwarden/ipcwarden/pkg/event"
	"github.com/ipcwarden/ipcwarden/pkg/probe"
)

// Status is the outcome of a check.
type Status string

// Fail means that ipcwarden cannot run, Warn that it runs with less, None that the
// kernel does not offer what is not needed either.
const (
	OK   Status = "ok"
	None Status = "none"
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

// Examine looks at everything, and in the end attaches the probe by each hook for
// real and detaches it again: only that proves that it can.
func Examine() *Report {
	r := &Report{}
	for _, check := range []func() Check{
		architecture, kernel, typeInformation, capabilities, lockdown, compatCalls, pidNamespace, cgroups, jit,
	} {
		r.Checks = append(r.Checks, check())
	}
	var hooks []Check
	var chosen *probe.Attachment // as probe.Auto would choose
	var rejected []probe.Rejection
	for _, hook := range probe.Hooks() {
		c, a := attach(hook)
		hooks = append(hooks, c)
		unfit := probe.Unfit(hook)
		switch {
		case chosen != nil:
		case c.Status == OK && unfit == nil:
			chosen = a
		case c.Status == OK:
			rejected = append(rejected, probe.Rejection{Hook: hook, Err: unfit})
		default:
			rejected = append(rejected, probe.Rejection{Hook: hook, Err: errors.New(c.Found)})
		}
	}
	if chosen == nil {
		var why []string
		for i := range hooks {
			hooks[i].Status, hooks[i].Effect = Fail, "nothing can be captured"
			hooks[i].Remedy = "mend what failed above; if nothing did, run ipcwarden trace --log-level debug and read what libbpf says"
			why = append(why, hooks[i].Name+": "+hooks[i].Found)
		}
		r.Why, r.Checks = strings.Join(why, "; "), append(r.Checks, hooks...)
		return r
	}
	chosen.Rejected = rejected
	r.Usable, r.Hook, r.Why = true, string(chosen.Hook), chosen.Why()
	r.Checks = append(append(r.Checks, hooks...), kernelCopy(chosen))
	return r
}

// attach attaches the probe by a hook and detaches it again.
func attach(hook probe.Hook) (Check, *probe.Attachment) {
	c := Check{Name: "hook " + string(hook), Status: OK, Found: "attached and detached again"}
	p, err := probe.Open(probe.Options{Filter: probe.Filter{Events: event.All}, Hook: hook, Log: zap.NewNop()})
	if err != nil {
		c.Status, c.Found = None, err.Error()
		return c, nil
	}
	a := p.Attachment()
	if err := p.Close(); err != nil {
		c.Status, c.Found = Fail, "does not detach: "+err.Error()
	} else if len(a.FellBack) > 0 {
		c.Status, c.Found = Warn, fmt.Sprintf("attached, but for %d calls", len(a.FellBack))
		c.Effect = "these are watched by tracepoints: " + strings.Join(a.FellBack, "; ")
	}
	return c, &a
}

// kernelCopy says whether the kernel's own copies of user memory can be seen.
func kernelCopy(a *probe.Attachment) Check {
	c := Check{Name: "kernel copy", Status: OK, Found: "watched by " + string(a.Copy)}
	if a.Copy == "" {
		c.Status, c.Found = None, "cannot be watched: "+strings.Join(a.Uncopied, "; ")
		c.Effect = "events have no memory[].inKernel and no object.inKernel"
		if a.Kmalloc {
			c.Effect = "events have no object.inKernel, and memory[].inKernel only of messages that nobody received at once"
		}
	} else if len(a.Uncopied) > 0 {
		c.Status, c.Effect = Warn, "missing: "+strings.Join(a.Uncopied, "; ")
	}
	return c
}

// Programs lists what the verifier says of the programs of every hook that
// attaches here.
func Programs() *ProgramReport {
	r := &ProgramReport{Programs: []HookProgram{}}
	r.Kernel, _ = probe.Kernel() // empty where it is too old, where nothing attaches either
	for _, hook := range probe.Hooks() {
		programs, err := probe.Programs(hook)
		if err != nil {
			continue
		}
		for _, program := range programs {
			r.Programs = append(r.Programs, HookProgram{Hook: string(hook), Program: program})
		}
	}
	return r
}

// ProgramReport is what the verifier of a kernel says of our programs.
type ProgramReport struct {
	Kernel   string        `json:"kernel"`
	Programs []HookProgram `json:"programs"`
}

// HookProgram is a program of a hook.
type HookProgram struct {
	Hook string `json:"hook"`
	probe.Program
}
