// Package reference is the manual of the events. It derives everything from the
// event table, and writes it as text, as Markdown and as JSON.
package reference

import (
	"cmp"
	"slices"

	"github.com/ipcwarden/ipcwarden/pkg/event"
)

// Event is all that there is to know about one event.
type Event struct {
	Name        string       `json:"name"`
	Description string       `json:"description"`
	TraceeID    uint16       `json:"traceeId"`         // Tracee's event number on amd64
	Object      string       `json:"object,omitempty"` // msg, sem or shm; none for ipc
	EntryPoints []EntryPoint `json:"entryPoints"`
	Hooks       []Hook       `json:"hooks"`
	IPC         *IPCCall     `json:"ipc,omitempty"`   // the event as a call through ipc(2)
	Calls       []IPCCall    `json:"calls,omitempty"` // of ipc itself: what it multiplexes
	Args        []Arg        `json:"args"`
}

// EntryPoint is one system call number that leads to the event.
type EntryPoint struct {
	ABI     string `json:"abi"`
	Number  uint16 `json:"number"`
	Syscall string `json:"syscall"`
	// Functions are the kernel's entry functions: one of them is there.
	Functions []string `json:"functions,omitempty"`
	Time64    bool     `json:"time64,omitempty"` // a 32-bit caller with a 64-bit struct timespec
}

// Hook is a way of capture and what it attaches to.
type Hook struct {
	Name     string   `json:"name"`
	Attaches []string `json:"attaches"`
}

// IPCCall is what ipc(2) does for one value of its first argument.
type IPCCall struct {
	Number uint16  `json:"number"`
	Name   string  `json:"name"`
	Event  string  `json:"event"`
	Params []Param `json:"params"`
}

// Param says which argument of the call a parameter of ipc(2) carries.
type Param struct {
	Slot string `json:"param"`
	Arg  string `json:"arg"`
}

// Arg is one argument.
type Arg struct {
	Name    string   `json:"name"`
	Type    string   `json:"type"` // in C
	Tags    []string `json:"tags"`
	Tracee  []string `json:"traceeTags,omitempty"` // Tracee's tags where they differ
	Why     string   `json:"why,omitempty"`        // why they differ
	Param   string   `json:"param"`                // of ipc(2)
	Values  *Set     `json:"values,omitempty"`
	LeadsTo string   `json:"leadsTo,omitempty"` // user memory behind the pointer
}

// Set has the names that a value is made of.
type Set struct {
	Kind  string  `json:"kind"` // flags or command
	Names []Value `json:"names"`
	Note  string  `json:"note,omitempty"`
}

// Value is one name.
type Value struct {
	Name  string `json:"name"`
	Value uint32 `json:"value"`
}

// All is the reference of every event, in the order of the table.
func All() []Event {
	rows := event.Rows()
	all := make([]Event, len(rows))
	for i, row := range rows {
		all[i] = Of(row)
	}
	return all
}

// Of is the reference of one event.
func Of(row *event.Row) Event {
	e := Event{
		Name:        row.Name,
		Description: row.Doc,
		TraceeID:    row.TraceeID,
		Object:      row.Kind.String(),
		Hooks: []Hook{
			{Name: "fentry", Attaches: []string{"fentry", "fexit of the kernel functions above"}},
			{Name: "kprobe", Attaches: []string{"kprobe", "kretprobe of the kernel functions above"}},
			{Name: "tracepoint", Attaches: []string{"raw tracepoint sys_enter", "raw tracepoint sys_exit"}},
		},
	}
	for _, p := range row.Entries {
		e.EntryPoints = append(e.EntryPoints, EntryPoint{p.ABI.String(), p.Number, p.Name, p.Functions, p.Time64})
	}
	if row.ID == event.IPC {
		for _, other := range event.Rows() {
			if other.ID != event.IPC {
				e.Calls = append(e.Calls, ipcCall(other))
			}
		}
		slices.SortFunc(e.Calls, func(a, b IPCCall) int { return cmp.Compare(a.Number, b.Number) })
	} else {
		e.IPC = new(ipcCall(row))
	}
	for i := range row.Args {
		e.Args = append(e.Args, argOf(&row.Args[i]))
	}
	return e
}

func ipcCall(row *event.Row) IPCCall {
	call := IPCCall{Number: row.Call, Name: event.IPCCalls.Command(uint32(row.Call)), Event: row.Name}
	for slot := event.First; slot <= event.Indirect; slot++ {
		for _, arg := range row.Args {
			if arg.Slot == slot {
				call.Params = append(call.Params, Param{slot.String(), arg.Name})
			}
		}
	}
	return call
}

func argOf(arg *event.Arg) Arg {
	return Arg{
		Name:    arg.Name,
		Type:    arg.CType,
		Tags:    arg.Tags.Names(),
		Tracee:  arg.Tracee.Names(),
		Why:     arg.Why,
		Param:   arg.Slot.String(),
		Values:  setOf(arg.Decode),
		LeadsTo: leadsTo(arg.Pointee),
	}
}

func setOf(d event.Decoder) *Set {
	if d == event.Plain {
		return nil
	}
	set := &Set{Kind: "flags"}
	if d.IsCommand() {
		set.Kind = "command"
	}
	for _, name := range d.Names() {
		set.Names = append(set.Names, Value{name.Name, name.Value})
	}
	switch d {
	case event.GetFlags:
		set.Note = "the bits 0777 are the permissions of a new object, or those asked for of an existing one"
	case event.ShmgetFlags:
		set.Note = "the bits 0777 are the permissions of a new object, or those asked for of an existing one; " +
			"the bits from 26 up are the logarithm of the page size, shown as SHM_HUGE_2MB and its kin"
	case event.IPCCalls:
		set.Note = "the upper 16 bits are the version; DIPC was never in Linux"
	}
	return set
}

// leadsTo describes the user memory behind a pointer.
func leadsTo(p event.Pointee) string {
	switch p {
	case event.MsgbufIn:
		return "struct msgbuf {long mtype; char mtext[];}, which the kernel reads once"
	case event.MsgbufOut:
		return "struct msgbuf {long mtype; char mtext[];}, which the kernel writes in the end; with MSG_COPY it also reads it at first, and discards that"
	case event.Sembufs:
		return "array of struct sembuf {unsigned short sem_num; short sem_op; short sem_flg;}, which the kernel reads once; sem_flg is IPC_NOWAIT 04000 and SEM_UNDO 010000"
	case event.Timespec:
		return "struct timespec {tv_sec, tv_nsec}, which the kernel reads once; 32-bit callers have 32-bit fields, but for time64 entry points"
	case event.Settings:
		return "struct msqid_ds or shmid_ds, which the kernel reads for IPC_SET (uid, gid, mode and msg_qbytes) and writes for IPC_STAT and its kin"
	case event.Semun:
		return "union semun, by cmd: the value of SETVAL; the array of unsigned short that SETALL reads and GETALL writes; struct semid_ds, which IPC_SET reads (uid, gid, mode) and IPC_STAT writes"
	default:
		return ""
	}
}
