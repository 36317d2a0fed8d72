package e2e

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"
)

// differences collects what an event has otherwise than the program said.
type differences []string

func (d *differences) add(what string, got, want any) {
	*d = append(*d, fmt.Sprintf("%s: got %v, want %v", what, got, want))
}

func (d *differences) equal(what string, got, want any) {
	if !reflect.DeepEqual(got, want) {
		d.add(what, got, want)
	}
}

// compare compares a decoded event with what the program said.
func compare(v variant, s said, got document) differences {
	var d differences
	d.equal("eventName", got.EventName, s.Event)
	d.equal("returnValue", got.ReturnValue, s.Ret)
	d.equal("error", got.errorName(), s.errorName())
	d.equal("unfinished", got.Unfinished, false)
	d.equal("contextFlags.isCompat", got.ContextFlags.IsCompat, v.compat)
	d.arguments(s.Args, got)
	d.equal("flags", sorted(got.Flags), sorted(wantFlags(s)))
	d.equal("command", got.commandName(), wantCommand(s))
	d.route(v, s, got)
	d.memory(v, s, got)
	d.object(s, got)
	return d
}

// compareRaw compares the raw ipc event of a call.
func compareRaw(s said, got document) differences {
	var d differences
	d.equal("eventName", got.EventName, "ipc")
	d.equal("contextFlags.isCompat", got.ContextFlags.IsCompat, true)
	d.equal("command", got.commandName(), commandName("ipc", int64(s.IPC.Call)))
	d.equal("ipc", got.IPC, &struct{ Call, Version uint16 }{s.IPC.Call, s.IPC.Version})
	d.equal("via", got.Via, "ipc")
	d.equal("syscall", got.Syscall, "ipc")
	if s.IPC.Args == nil {
		return d
	}
	d.equal("returnValue", got.ReturnValue, s.IPC.Ret)
	d.equal("error", got.errorName(), s.errorName())
	d.arguments(s.IPC.Args, got)
	return d
}

func sorted(names []string) []string {
	names = slices.Clone(names)
	slices.Sort(names)
	return names
}

func (d *differences) arguments(want []argument, got document) {
	d.equal("argsNum", got.ArgsNum, len(want))
	if len(got.Args) != len(want) {
		d.add("args", got.Args, want)
		return
	}
	for i, arg := range want {
		if arg.Name == "cmd" { // IPC_64 is no part of the command
			arg.Value = json.Number(fmt.Sprint(int32(number(arg.Value)) &^ 0x100))
		}
		d.equal(fmt.Sprintf("args[%d]", i), got.Args[i], arg)
		d.equal("arg."+arg.Name, got.Arg[arg.Name], arg.Value)
	}
}

// number reads an integer argument; the value of a pointer is 0.
func number(value any) int64 {
	n, ok := value.(json.Number)
	if !ok {
		return 0
	}
	i, err := n.Int64()
	if err != nil { // beyond 1<<63: nothing that has flags or commands
		return -1
	}
	return i
}

func (s said) number(name string) (value int64, ok bool) {
	for _, arg := range s.Args {
		if arg.Name == name {
			return number(arg.Value), true
		}
	}
	return 0, false
}

func wantFlags(s said) []string {
	for _, arg := range s.Args {
		if strings.HasSuffix(arg.Name, "flg") {
			return symbols(s.Event, uint32(number(arg.Value)))
		}
	}
	if s.Event != "semop" && s.Event != "semtimedop" {
		return []string{}
	}
	var all uint16
	for _, p := range s.Memory {
		for _, op := range p.Sops {
			all |= uint16(op.SemFlg)
		}
	}
	return symbols("sembuf", uint32(all))
}

func wantCommand(s said) string {
	cmd, ok := s.number("cmd")
	if !ok {
		return ""
	}
	return commandName(s.Event, cmd)
}

func (d *differences) route(v variant, s said, got document) {
	if s.IPC != nil {
		d.equal("via", got.Via, "ipc")
		d.equal("syscall", got.Syscall, "ipc")
		d.equal("ipc", got.IPC, &struct{ Call, Version uint16 }{s.IPC.Call, s.IPC.Version})
		return
	}
	syscall := s.Event
	if v.time64 && s.Event == "semtimedop" {
		syscall = "semtimedop_time64"
	}
	d.equal("via", got.Via, "syscall")
	d.equal("syscall", got.Syscall, syscall)
	if got.IPC != nil {
		d.add("ipc", *got.IPC, "nothing")
	}
}

// object compares every field that the program knows.
func (d *differences) object(s said, got document) {
	if s.Object == nil {
		return
	}
	var want map[string]any
	decoder := json.NewDecoder(strings.NewReader(string(*s.Object)))
	decoder.UseNumber()
	if err := decoder.Decode(&want); err != nil {
		panic(err) // programs/say.c writes JSON
	}
	switch {
	case want == nil && got.Object != nil:
		d.add("object", got.Object, "none")
	case want != nil && got.Object == nil:
		d.add("object", "none", want)
	case want != nil:
		for name, value := range want {
			d.equal("object."+name, got.Object[name], value)
		}
		d.equal("object.namespace", got.Object["namespace"], any(got.IPCNamespace))
	}
}

func (d *differences) memory(v variant, s said, got document) {
	said := map[string]bool{}
	for _, want := range s.Memory {
		said[want.Arg] = true
		if want.Written && s.Error != nil && s.errorName() != "EFAULT" {
			continue // the kernel wrote nothing there
		}
		d.region(v, want, got.region(want.Arg))
	}
	for _, r := range got.Memory {
		// What the program does not know: memory of the C library, and that of a
		// call that failed before it got there.
		if !said[r.Arg] && s.Error == nil && (s.IPC == nil || s.IPC.Args != nil) {
			d.add("memory["+r.Arg+"]", r.Address, "nothing: the call leads to no such memory")
		}
	}
}

// atLeast is how many bytes of a piece have to be captured if so many can be read.
func atLeast(v variant, p piece) int {
	switch p.Type {
	case "msgbuf":
		return v.word() + snapshotBytes
	case "sembuf[]":
		return 64 * 6 // as many as the kernel itself takes without allocating memory
	case "ipc_ds":
		return 5*4 + 2 // up to the mode
	default:
		return 16
	}
}

func (d *differences) region(v variant, want piece, got *region) {
	name := "memory[" + want.Arg + "]"
	if got == nil {
		d.add(name, "nothing", want.Type+" at "+want.Address)
		return
	}
	d.equal(name+".type", got.Type, want.Type)
	d.equal(name+".address", got.Address, want.Address)
	d.equal(name+".written", got.Written, want.Written)
	if want.Length > 0 {
		d.equal(name+".length", got.Length, want.Filled)
	}
	best := got.best()
	if best == nil {
		d.add(name, "no look at it", "one")
		return
	}
	d.content(v, name, want, best)
	if got.InKernel != nil {
		d.kernelCopy(v, name+".inKernel", want, got.InKernel)
	}
}

// kernelCopy compares the kernel's own copy, which nobody has changed here. That of
// settings has the layout of 64-bit programs, and of the others no more than what
// the kernel takes from them.
func (d *differences) kernelCopy(v variant, name string, want piece, got *content) {
	if want.Type == "ipc_ds" {
		d.equal(name+".uid", deref(got.UID), deref(want.UID))
		d.equal(name+".gid", deref(got.GID), deref(want.GID))
		d.equal(name+".mode", deref(got.Mode), deref(want.Mode))
		d.equal(name+".qbytes", deref(got.QBytes), deref(want.QBytes))
		return
	}
	d.equal(name+".length", deref(got.Length), any(want.Filled))
	d.content(v, name, want, got)
}

func (d *differences) content(v variant, name string, want piece, got *content) {
	bytes, err := hex.DecodeString(got.Bytes)
	if err != nil {
		d.add(name+".bytes", err, "hexadecimal digits")
		return
	}
	there := want.memory()
	if !strings.HasPrefix(want.Bytes, got.Bytes) {
		d.add(name+".bytes", got.Bytes, want.Bytes)
	}
	if n := min(len(there), int(want.Filled), atLeast(v, want)); want.Length > 0 && len(bytes) < n {
		d.add(name+".bytes", fmt.Sprintf("%d bytes", len(bytes)), fmt.Sprintf("at least %d", n))
	}
	d.equal(name+".state", got.State, wantState(want, len(bytes)))
	d.decoded(v, name, want, got, len(bytes))
}

// wantState is read only if all that the call has to do with was captured.
func wantState(want piece, captured int) string {
	switch {
	case captured == 0 && (want.Length == 0 || want.Filled > 0) && want.Bytes == "":
		return "unreadable"
	case want.Length > 0 && captured >= int(want.Filled):
		return "read"
	default:
		return "cut"
	}
}

// decoded compares what the captured bytes mean.
func (d *differences) decoded(v variant, name string, want piece, got *content, captured int) {
	if captured >= v.word() {
		d.equal(name+".mtype", deref(got.Mtype), deref(want.Mtype))
	}
	if want.Type == "msgbuf" && captured >= v.word() {
		text := string(want.memory()[v.word():captured])
		d.equal(name+".text", deref(got.Text), any(strings.ToValidUTF8(text, "\ufffd")))
	}
	if want.Type == "timespec" && captured >= len(want.memory()) {
		d.equal(name+".tvSec", deref(got.TvSec), deref(want.TvSec))
		d.equal(name+".tvNsec", deref(got.TvNsec), deref(want.TvNsec))
	}
	if want.Type == "ipc_ds" && captured == len(want.memory()) {
		d.equal(name+".uid", deref(got.UID), deref(want.UID))
		d.equal(name+".gid", deref(got.GID), deref(want.GID))
		d.equal(name+".mode", deref(got.Mode), deref(want.Mode))
		d.equal(name+".qbytes", deref(got.QBytes), deref(want.QBytes))
	}
	if want.Type == "semun" && captured > 0 {
		d.equal(name+".values", got.Values, want.Values[:captured/2])
	}
	if want.Type == "pointer" && captured > 0 {
		d.equal(name+".pointer", got.Pointer, want.Pointer)
	}
	if want.Type == "sembuf[]" {
		d.operations(name, want.Sops[:min(len(want.Sops), captured/6)], got.Sops)
	}
}

func (d *differences) operations(name string, want, got []operation) {
	if len(got) != len(want) {
		d.add(name+".sops", fmt.Sprintf("%d operations", len(got)), fmt.Sprintf("%d", len(want)))
		return
	}
	for i, op := range want {
		op.Flags = sorted(symbols("sembuf", uint32(uint16(op.SemFlg))))
		got[i].Flags = sorted(got[i].Flags)
		d.equal(fmt.Sprintf("%s.sops[%d]", name, i), got[i], op)
	}
}

// deref makes optional numbers comparable and printable.
func deref[T any](p *T) any {
	if p == nil {
		return "nothing"
	}
	return *p
}
