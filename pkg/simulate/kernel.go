package simulate

import (
	"fmt"
	"runtime"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/ipcwarden/ipcwarden/pkg/event"
)

// Way is a way into System V IPC.
type Way string

// The ways. Multiplexed ones are made by int 0x80 from 64-bit code, as by an exploit
// that wants to be overlooked, and have the structures of 32-bit callers.
const (
	Direct      Way = "direct"
	Multiplexed Way = "ipc"
)

// String says it for people.
func (w Way) String() string {
	if w == Multiplexed {
		return "ipc(2)"
	}
	return "64-bit"
}

// ipc64 asks for the structures since Linux 2.4, in the command of a multiplexed call
// (include/uapi/linux/ipc.h: IPC_64).
const ipc64 = 0x100

// kernel makes calls by one way.
type kernel struct {
	way    Way
	memory *arena
}

// call makes the call of an event, with its arguments as the event table lists them.
func (k kernel) call(id event.ID, args ...uintptr) (uintptr, unix.Errno) {
	row := event.Lookup(id)
	if len(args) != len(row.Args) {
		panic(fmt.Sprintf("%s with %d arguments", row.Name, len(args)))
	}
	if k.way == Multiplexed {
		return k.multiplexed(row, args)
	}
	var all [event.MaxArgs]uintptr
	copy(all[:], args)
	result, _, errno := unix.Syscall6(uintptr(number(row)), all[0], all[1], all[2], all[3], all[4], all[5])
	return result, errno
}

// number is that of the native call.
func number(row *event.Row) uint16 {
	for _, entry := range row.Entries {
		if entry.ABI.String() == runtime.GOARCH {
			return entry.Number
		}
	}
	panic("no number for " + row.Name + " on " + runtime.GOARCH)
}

// sleepsAs is the number under which the kernel has a call that waits.
func (k kernel) sleepsAs(id event.ID) uint16 {
	if k.way == Multiplexed {
		return ipcNumber
	}
	return number(event.Lookup(id))
}

// ipcNumber is the number of ipc(2) in the table of i386.
const ipcNumber = 117

// multiplexed makes a call as operation of ipc(2).
func (k kernel) multiplexed(row *event.Row, args []uintptr) (uintptr, unix.Errno) {
	operation := ipcOperation{Call: uint32(row.Call)}
	var word region // what is passed through memory
	for i, arg := range row.Args {
		value := uint32(args[i])
		if arg.Name == "cmd" {
			value |= ipc64
		}
		switch arg.Slot {
		case event.First:
			operation.First = value
		case event.Second:
			operation.Second = value
		case event.Third:
			operation.Third = value
		case event.Ptr:
			operation.Ptr = value
		case event.Fifth:
			operation.Fifth = value
		case event.Indirect:
			word = k.memory.word32(value)
			operation.Ptr = uint32(word.address())
		}
	}
	switch row.ID {
	case event.Msgrcv:
		operation.Call |= 1 << 16 // the version whose type is not in memory
	case event.Shmat:
		word = k.memory.word32(0)
		operation.Third = uint32(word.address())
	}
	result, errno := operation.do()
	if row.ID == event.Shmat && errno == 0 {
		result = uintptr(word.uint32At(0))
	}
	return result, errno
}

// ipcOperation is what the registers of ipc(2) have.
type ipcOperation struct{ Call, First, Second, Third, Ptr, Fifth uint32 }

func (o ipcOperation) do() (uintptr, unix.Errno) {
	result := int32(int80(ipcNumber, o.Call, o.First, o.Second, o.Third, o.Ptr, o.Fifth))
	if result < 0 && result > -4096 {
		return 0, unix.Errno(-result)
	}
	return uintptr(uint32(result)), 0
}

// show writes a call for the reader of an error.
func show(id event.ID, args []uintptr) string {
	text := make([]string, len(args))
	for i, arg := range args {
		text[i] = fmt.Sprintf("%#x", arg)
	}
	return fmt.Sprintf("%s(%s)", id, strings.Join(text, ", "))
}
