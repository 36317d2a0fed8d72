package regosig

import (
	"reflect"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/ipcwarden/ipcwarden/pkg/event"
	"github.com/ipcwarden/ipcwarden/pkg/regosig/plan"
)

// inputNode is the document as plans read it: what most signatures ask for is
// read from the event, and what is not listed in this file and those with
// names like it from the document, which is only made if it is needed. It agrees with
// event.Document, which a test holds it to.
var inputNode = documentNode()

// field reads one member of the document; undefined if it is not there.
type readField func(*view) plan.Value

func (read readField) member() *plan.Member {
	return &plan.Member{Read: func(source any) plan.Value { return read(source.(*view)) }}
}

// object is an object of the document, of the Go type T, at path. There are
// own fields, and all others of the type.
func objectNode[T any](own map[string]readField, path ...string) *plan.Node {
	node := &plan.Node{Members: map[string]*plan.Member{}, Whole: wholeAt(path...)}
	t := reflect.TypeFor[T]()
	for i := range t.NumField() {
		name, _, _ := strings.Cut(t.Field(i).Tag.Get("json"), ",")
		read := own[name]
		if read == nil {
			whole, key := node.Whole, plan.String(name)
			read = func(v *view) plan.Value { return whole(v).Get(key) }
		}
		node.Members[name] = read.member()
	}
	return node
}

// wholeAt reads from the document.
func wholeAt(path ...string) func(any) plan.Value {
	return func(source any) plan.Value {
		value := source.(*view).whole()
		for _, name := range path {
			value = value.Get(plan.String(name))
		}
		return value
	}
}

// parent makes a member of a node, which is there if present says so; nil for
// always.
func parent(node *plan.Node, present func(*view) bool) *plan.Member {
	if present == nil {
		return &plan.Member{Node: node}
	}
	return &plan.Member{Node: node, Read: func(source any) plan.Value {
		if !present(source.(*view)) {
			return plan.Value{}
		}
		return plan.Null
	}}
}

func documentNode() *plan.Node {
	document := objectNode[event.Document](map[string]readField{
		"timestamp":           func(v *view) plan.Value { return plan.Int(v.event.TimeNS) },
		"processorId":         func(v *view) plan.Value { return plan.Int(int64(v.event.CPU)) },
		"processId":           func(v *view) plan.Value { return plan.Int(int64(v.event.Process.PID)) },
		"cgroupId":            func(v *view) plan.Value { return plan.Uint(v.event.Process.CgroupID) },
		"threadId":            func(v *view) plan.Value { return plan.Int(int64(v.event.Process.TID)) },
		"parentProcessId":     func(v *view) plan.Value { return plan.Int(int64(v.event.Process.ParentPID)) },
		"hostProcessId":       func(v *view) plan.Value { return plan.Int(int64(v.event.Process.HostPID)) },
		"hostThreadId":        func(v *view) plan.Value { return plan.Int(int64(v.event.Process.HostTID)) },
		"hostParentProcessId": func(v *view) plan.Value { return plan.Int(int64(v.event.Process.HostParentPID)) },
		"userId":              func(v *view) plan.Value { return plan.Int(int64(v.event.Process.UID)) },
		"groupId":             func(v *view) plan.Value { return plan.Int(int64(v.event.Process.GID)) },
		"effectiveUserId":     func(v *view) plan.Value { return plan.Int(int64(v.event.Process.EUID)) },
		"effectiveGroupId":    func(v *view) plan.Value { return plan.Int(int64(v.event.Process.EGID)) },
		"mountNamespace":      func(v *view) plan.Value { return plan.Int(int64(v.event.Process.MountNamespace)) },
		"pidNamespace":        func(v *view) plan.Value { return plan.Int(int64(v.event.Process.PIDNamespace)) },
		"ipcNamespace":        func(v *view) plan.Value { return plan.Int(int64(v.event.Process.IPCNamespace)) },
		"processName":         func(v *view) plan.Value { return printed(v.event.Process.Comm) },
		"hostName":            func(v *view) plan.Value { return printed(v.event.Process.HostName) },
		"containerId":         func(v *view) plan.Value { return textValue(v.event.Process.ContainerID) },
		"eventId":             func(v *view) plan.Value { return eventNumbers[v.event.Row().ID] },
		"eventName":           func(v *view) plan.Value { return plan.String(v.event.Row().Name) },
		"argsNum":             func(v *view) plan.Value { return plan.Int(int64(len(v.event.Row().Args))) },
		"returnValue":         func(v *view) plan.Value { return plan.Int(v.event.Return) },
		"syscall":             func(v *view) plan.Value { return plan.String(v.event.Syscall()) },
		"flags":               (*view).symbolicFlags,
		"command":             func(v *view) plan.Value { return unlessEmpty(v.event.Command()) },
		"error":               func(v *view) plan.Value { return v.callError },
		"durationNs":          func(v *view) plan.Value { return plan.Uint(v.event.DurationNS) },
		"unfinished":          func(v *view) plan.Value { return ifTrue(v.event.Unfinished) },
		"via":                 via,
		"sleeps":              func(v *view) plan.Value { return plan.Int(int64(v.event.Sleeps)) },
		"stalledNs":           stalled,
		"stalledSleeps": func(v *view) plan.Value {
			return ifPresent(v.event.CopiedNS != 0, plan.Int(int64(v.event.CopiedSleeps)))
		},
		"overlapsOmitted": func(v *view) plan.Value {
			return ifPresent(v.event.OverlapsOmitted != 0, plan.Int(int64(v.event.OverlapsOmitted)))
		},
	})
	document.Members["executable"] = parent(objectNode[event.Executable](map[string]readField{
		"path": func(v *view) plan.Value { return printed(v.event.Process.Executable) },
		"bits": func(v *view) plan.Value {
			return ifPresent(v.event.Process.ProgramBits != 0, plan.Int(int64(v.event.Process.ProgramBits)))
		},
	}, "executable"), nil)
	document.Members["container"] = parent(objectNode[event.Container](map[string]readField{
		"id":    func(v *view) plan.Value { return textValue(v.event.Process.ContainerID) },
		"image": func(v *view) plan.Value { return textValue(imageOf(v.event)) },
	}, "container"), nil)
	document.Members["contextFlags"] = parent(objectNode[event.ContextFlags](map[string]readField{
		"containerStarted": func(v *view) plan.Value { return plan.Bool(v.event.Process.ContainerID != "") },
		"isCompat":         func(v *view) plan.Value { return plan.Bool(v.event.Compat) },
	}, "contextFlags"), nil)
	document.Members["ipc"] = parent(objectNode[event.IPCCall](map[string]readField{
		"call":    func(v *view) plan.Value { return plan.Int(int64(v.event.Call)) },
		"version": func(v *view) plan.Value { return plan.Int(int64(v.event.Version)) },
	}, "ipc"), func(v *view) bool { return v.event.Multiplexed })
	document.Members["object"] = parent(ipcObjectNode(), func(v *view) bool { return v.event.Object.Kind != event.NoKind })
	document.Members["arg"] = parent(argNode(), nil)
	document.Members["args"] = parent(argsNode(), nil)
	document.Members["overlaps"] = parent(overlapsNode(), func(v *view) bool { return len(v.event.Overlaps) > 0 })
	document.Members["ancestors"] = parent(ancestorsNode(), func(v *view) bool { return len(v.event.Process.Ancestors) > 0 })
	document.Members["memory"] = parent(memoryNode(), func(v *view) bool { return v.nregions > 0 })
	return document
}

func imageOf(e *event.Event) string {
	if e.Process.Workload == nil {
		return ""
	}
	return e.Process.Workload.Image
}

// printed is what package event makes valid UTF-8 of.
func printed(s string) plan.Value {
	if utf8.ValidString(s) {
		return plan.String(s)
	}
	return plan.String(strings.ToValidUTF8(s, "\ufffd"))
}

// ifPresent is a value that documents leave out unless present.
func ifPresent(present bool, v plan.Value) plan.Value {
	if !present {
		return plan.Value{}
	}
	return v
}

func ifTrue(b bool) plan.Value           { return ifPresent(b, plan.Bool(true)) }
func unlessEmpty(text string) plan.Value { return ifPresent(text != "", plan.String(text)) }

func via(v *view) plan.Value {
	if v.event.Multiplexed {
		return plan.String("ipc")
	}
	return plan.String("syscall")
}

func stalled(v *view) plan.Value {
	if v.event.CopiedNS == 0 {
		return plan.Value{}
	}
	return plan.Uint(v.event.CopiedNS - v.event.BootNS)
}

// eventNumbers has Document.EventID for each event.
var eventNumbers = func() (numbers [1 << 8]plan.Value) {
	for _, row := range event.Rows() {
		numbers[row.ID] = plan.String(strconv.FormatUint(uint64(row.TraceeID), 10))
	}
	return numbers
}()
