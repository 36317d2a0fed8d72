package main

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// hookResult is one cell of the table.
type hookResult struct {
	Hook     string   `json:"hook"`
	Passed   int      `json:"passed"`
	Failed   []string `json:"failed"`
	Flaky    []string `json:"flaky"` // failed, and then passed: in Passed too
	Skipped  []string `json:"skipped"`
	Complete bool     `json:"complete"`
	Seconds  float64  `json:"seconds"`

	said map[string]string // of a test that failed
}

func (h hookResult) ok() bool { return h.Complete && h.Passed > 0 && len(h.Failed) == 0 }

// cell says how it went in few words.
func (h hookResult) cell() string {
	total := h.Passed + len(h.Failed) + len(h.Skipped)
	switch {
	case !h.Complete && total == 0:
		return "FAIL not run"
	case !h.Complete:
		return fmt.Sprintf("FAIL ended after %d", total)
	case len(h.Failed) > 0:
		return fmt.Sprintf("FAIL %d/%d", len(h.Failed), total)
	case h.Passed == 0:
		return fmt.Sprintf("FAIL none passed of %d", total)
	}
	text := fmt.Sprintf("%d ok", h.Passed)
	if len(h.Flaky) > 0 {
		text += fmt.Sprintf(", %d flaky", len(h.Flaky))
	}
	if len(h.Skipped) > 0 {
		text += fmt.Sprintf(", %d skipped", len(h.Skipped))
	}
	return text
}

// result is one row of the table: what came from one kernel.
type result struct {
	Kernel   string         `json:"kernel"`
	Release  string         `json:"release"`
	Seconds  float64        `json:"seconds"`
	Hooks    []*hookResult  `json:"hooks"`    // those that must attach, or were asked for
	Problems []string       `json:"problems"` // that belong to no test
	Notes    []string       `json:"notes"`    // that fail nothing
	programs []programCount // nil if the doctor does not count them
	streams  []stream

	every bool // Debian's kernel: has all that ipcwarden watches
	print func(string, ...any)
	talk  bool // print every test
}

func newResult(k kernel, hooks []string, print func(string, ...any), talk bool) *result {
	r := &result{Kernel: k.name, every: k.inMachine(), print: print, talk: talk}
	for _, h := range hooks {
		r.Hooks = append(r.Hooks, &hookResult{Hook: h})
	}
	return r
}

func (r *result) hook(name string) *hookResult {
	i := slices.IndexFunc(r.Hooks, func(h *hookResult) bool { return h.Hook == name })
	if i < 0 {
		return nil
	}
	return r.Hooks[i]
}

func (r *result) ok() bool {
	return len(r.Problems) == 0 && !slices.ContainsFunc(r.Hooks, func(h *hookResult) bool { return !h.ok() })
}

func (r *result) problem(format string, arguments ...any) {
	text := fmt.Sprintf(format, arguments...)
	r.Problems = append(r.Problems, text)
	r.print("%s: %s", r.Kernel, text)
}

// receive takes one record and shows what it says.
func (r *result) receive(rec record) {
	switch rec.Type {
	case recordBoot:
		r.Release = rec.Release
		r.print("%s: runs %s", r.Kernel, rec.Release)
	case recordTest:
		r.test(rec)
	case recordBinary:
		r.problem("%s %s: %s\n%s", rec.Hook, rec.Binary, rec.Error, indent(rec.Output))
	case recordStream:
		s, err := newStream(r.Kernel, rec)
		if err != nil {
			r.problem("%s: stream %s: %v", rec.Hook, rec.Name, err)
			return
		}
		r.streams = append(r.streams, s)
	case recordHook:
		if h := r.hook(rec.Hook); h != nil {
			h.Complete, h.Seconds = true, rec.Seconds
			r.print("%s: %s: %s in %.0f s", r.Kernel, h.Hook, h.cell(), h.Seconds)
		}
	case recordDoctor:
		if rec.Error != "" {
			r.problem("%s", rec.Error)
		}
	case recordPrograms:
		r.counts(rec)
	case recordKernel:
		if rec.Output != "" {
			r.note("the kernel warned:\n%s", indent(rec.Output))
		}
	case recordError:
		r.problem("%s %s", rec.Hook, rec.Error)
	}
}

func (r *result) test(rec record) {
	h := r.hook(rec.Hook)
	if h == nil {
		r.problem("a test of hook %q, which was not asked for: %s", rec.Hook, rec.Test)
		return
	}
	h.count(rec)
	if rec.Result == "fail" {
		r.print("%s: %s: FAIL %s (%.1f s)\n%s", r.Kernel, rec.Hook, rec.Test, rec.Seconds, indent(rec.Output))
	} else if r.talk {
		r.print("%s: %s: %s %s (%.1f s) %s", r.Kernel, rec.Hook, rec.Result, rec.Test, rec.Seconds, strings.TrimSpace(rec.Output))
	}
}

// count takes how a test ended. One that had failed and passes when it is run
// again is no failure any longer, but it is told of.
func (h *hookResult) count(rec record) {
	before := slices.Index(h.Failed, rec.Test)
	switch {
	case rec.Result == "pass":
		h.Passed++
		if before >= 0 {
			h.Failed = slices.Delete(h.Failed, before, before+1)
			h.Flaky = append(h.Flaky, rec.Test)
		}
	case rec.Result == "skip":
		h.Skipped = append(h.Skipped, rec.Test)
	case before < 0:
		h.Failed = append(h.Failed, rec.Test)
		if h.said == nil {
			h.said = map[string]string{}
		}
		h.said[rec.Test] = rec.Output
	}
}

// counts are optional: an ipcwarden that does not count has other tests.
func (r *result) counts(rec record) {
	if rec.Error != "" {
		r.note("no verifier counts: %s", strings.TrimSpace(rec.Error))
		return
	}
	var d struct{ Programs []programCount }
	if err := json.Unmarshal(rec.Document, &d); err != nil {
		r.problem("reading the verifier counts: %v", err)
		return
	}
	r.programs = d.Programs
}

func (r *result) note(format string, arguments ...any) {
	text := fmt.Sprintf(format, arguments...)
	r.Notes = append(r.Notes, text)
	if r.talk {
		r.print("%s: %s", r.Kernel, text)
	}
}

func indent(text string) string {
	text = strings.TrimRight(text, "\n")
	return "    " + strings.ReplaceAll(text, "\n", "\n    ")
}
