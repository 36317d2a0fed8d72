package prefilter

import (
	"slices"
	"strings"
	"time"

	"github.com/ipcwarden/ipcwarden/pkg/event"
	"github.com/ipcwarden/ipcwarden/pkg/pushdown"
)

// ofCaller are the members of the document that calls have in common that the BPF
// programs take for alike whatever is read of them: made by one thread, as who it is, in
// one way.
var ofCaller = []string{
	"ancestors", "argsNum", "cgroupId", "container", "containerId", "contextFlags", "effectiveGroupId", "effectiveUserId", "eventId", "eventName",
	"executable", "groupId", "hostName", "hostParentProcessId", "hostProcessId", "hostThreadId", "ipcNamespace", "kubernetes",
	"mountNamespace", "parentEntityId", "parentProcessId", "pidNamespace", "processEntityId", "processId", "processName", "syscall",
	"threadEntityId", "threadId", "threadStartTime", "unfinished", "userId", "via",
}

// Repeat is how calls of an event may be counted by whoever reads but paths of their
// documents; nil if that is more than the BPF programs know.
func Repeat(row *event.Row, paths []string, span time.Duration) *pushdown.Repeat {
	r := &pushdown.Repeat{Span: span}
	for _, path := range paths {
		if !addRead(r, row, path) {
			return nil
		}
	}
	return r
}

// addRead adds what a path is made of. It returns whether that is known.
func addRead(r *pushdown.Repeat, row *event.Row, path string) bool {
	if row.ID == event.IPC {
		return false
	}
	first, _, _ := strings.Cut(path, ".")
	if slices.Contains(ofCaller, first) {
		return true
	}
	switch path {
	case "error":
		r.Add(pushdown.Return)
		return true
	case "command":
		if i := row.CommandAt(); i >= 0 {
			r.Add(pushdown.Field(i))
		}
		return true
	case "flags":
		for i, arg := range row.Args {
			switch {
			case arg.Pointee == event.Sembufs:
				r.AddFacts(pushdown.Undoes | pushdown.NoWait)
			case arg.Decode != event.Plain && !arg.Decode.IsCommand():
				r.Add(pushdown.Field(i))
			}
		}
		return true
	case "memory":
		r.AddMemory()
		return true
	case "object.kind", "object.namespace":
		r.AddFacts(pushdown.HasObject)
		return true
	case "object.created":
		r.AddFacts(pushdown.HasObject | pushdown.Created)
		return true
	}
	if name, isArg := strings.CutPrefix(path, "arg."); isArg {
		if i := row.Find(name); i >= 0 {
			r.Add(pushdown.Field(i))
		}
		return true
	}
	n, known := numerics[path]
	if !known {
		return false
	}
	if n.needs != 0 {
		r.AddFacts(n.needs)
	}
	if n.of == event.NoKind || n.of == row.Kind {
		r.Add(n.field)
	}
	return true
}
