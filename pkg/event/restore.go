package event

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strconv"
)

// UnmarshalJSON reads what MarshalJSON writes; numbers become json.Number.
func (a *Arguments) UnmarshalJSON(text []byte) error {
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	*a = nil
	if start, err := decoder.Token(); err != nil || start != json.Delim('{') {
		return errors.Join(errors.New("arg is not an object"), err)
	}
	for decoder.More() {
		name, err := decoder.Token()
		if err != nil {
			return fmt.Errorf("arg: %w", err)
		}
		argument := Argument{Name: fmt.Sprint(name)}
		if err := decoder.Decode(&argument.Value); err != nil {
			return fmt.Errorf("arg.%s: %w", argument.Name, err)
		}
		*a = append(*a, argument)
	}
	return nil
}

// Event fills e with the event that d was made of, as far as documents tell: what
// they lack is the moment of the boot, from which times then count that are those of
// Unix, the start of the process and of its parent, and the parameters of ipc(2)
// behind a decoded call. What d lacks stays zero. The recording is taken for one of
// this machine's architecture.
func (d *Document) Event(e *Event) error {
	row := ByName(d.EventName)
	if row == nil {
		return fmt.Errorf("eventName: no event is called %q", d.EventName)
	}
	*e = Event{
		ID: row.ID, Compat: d.ContextFlags.IsCompat, Unfinished: d.Unfinished,
		BootNS: uint64(d.Timestamp), TimeNS: d.Timestamp, DurationNS: d.DurationNS,
		Return: d.ReturnValue, RawReturn: d.ReturnValue, CPU: d.ProcessorID,
		Sleeps: d.Sleeps, OverlapsOmitted: d.OverlapsOmitted,
		Process: Process{
			PID: d.ProcessID, TID: d.ThreadID, ParentPID: d.ParentProcessID,
			HostPID: d.HostProcessID, HostTID: d.HostThreadID, HostParentPID: d.HostParentProcessID,
			UID: d.UserID, GID: d.GroupID, EUID: d.EffectiveUserID, EGID: d.EffectiveGroupID,
			MountNamespace: d.MountNamespace, PIDNamespace: d.PIDNamespace, IPCNamespace: d.IPCNamespace,
			CgroupID: d.CgroupID, ThreadStartNS: uint64(d.ThreadStartTime), Comm: d.ProcessName,
			Executable: d.Executable.Path, ProgramBits: d.Executable.Bits, HostName: d.HostName, ContainerID: d.ContainerID,
			Workload: d.restoreWorkload(), Ancestors: d.restoreAncestors(),
		},
	}
	if d.StalledNS != nil {
		e.CopiedNS, e.CopiedSleeps = e.BootNS+*d.StalledNS, valueOf(d.StalledSleeps)
	}
	if d.Object != nil {
		e.Object = d.Object.object()
	}
	e.restoreEntry(d)
	if err := e.restoreArguments(d.Arg); err != nil {
		return err
	}
	if err := e.restoreMemory(d.Memory); err != nil {
		return err
	}
	return e.restoreOverlaps(d.Overlaps)
}

// restoreEntry says by which way the call came.
func (e *Event) restoreEntry(d *Document) {
	if runtime.GOARCH == ARM64.String() {
		e.ABI = ARM64
	}
	if e.Compat {
		for _, abi := range ABIs() {
			if abi.Is32Bit() && abi.Native() == e.ABI.Native() {
				e.ABI = abi
			}
		}
	}
	if d.IPC != nil {
		e.Multiplexed, e.Call, e.Version = true, d.IPC.Call, d.IPC.Version
	}
	for _, entry := range e.Row().Entries {
		if entry.ABI == e.ABI && entry.Name == d.Syscall {
			e.Time64 = entry.Time64
		}
	}
}

func (e *Event) restoreArguments(args Arguments) error {
	row := e.Row()
	for _, arg := range args {
		i := row.Find(arg.Name)
		if i < 0 {
			return fmt.Errorf("arg.%s: %s has no such argument", arg.Name, row.Name)
		}
		n, err := parseNumber(fmt.Sprint(arg.Value))
		if err != nil {
			return fmt.Errorf("arg.%s: %w", arg.Name, err)
		}
		e.Args[i] = n
		if row.Args[i].Decode.IsCommand() {
			e.RawCommand = uint32(n)
		}
	}
	if e.ID == IPC {
		e.Raw = e.Args
	}
	return nil
}

// parseNumber reads a decimal number of either sign, or an address.
func parseNumber(text string) (uint64, error) {
	if n, err := strconv.ParseInt(text, 0, 64); err == nil {
		return uint64(n), nil
	}
	n, err := strconv.ParseUint(text, 0, 64)
	if err != nil {
		return 0, fmt.Errorf("%q is neither a number of 64 bits nor an address", text)
	}
	return n, nil
}

// valueOf is what a pointer leads to, or zero.
func valueOf[T any](p *T) (v T) {
	if p != nil {
		v = *p
	}
	return v
}

func (o *ObjectInfo) object() Object {
	object := Object{
		Created: o.Created, ID: o.ID, Key: o.Key, Mode: o.Mode, Sequence: o.Sequence,
		OwnerUID: o.OwnerUID, OwnerGID: o.OwnerGID, CreatorUID: o.CreatorUID, CreatorGID: o.CreatorGID,
		QueueBytes: valueOf(o.QueueBytes), CurrentBytes: valueOf(o.CurrentBytes), Messages: valueOf(o.Messages),
		Semaphores: valueOf(o.Semaphores), SegmentBytes: valueOf(o.SegmentBytes), Attached: valueOf(o.Attached),
		CreatorPID: valueOf(o.CreatorPID), CreatorGone: o.CreatorGone, LastPID: valueOf(o.LastPID),
		LastSendPID: valueOf(o.LastSendPID), LastReceivePID: valueOf(o.LastReceivePID),
	}
	if i := slices.Index(kindNames[:], o.Kind); i > 0 {
		object.Kind = Kind(i)
	}
	if k := o.InKernel; k != nil {
		object.Kernel.Seen, object.Kernel.ID = k.ID != nil, valueOf(k.ID)
		for bit := AccessExecute; bit <= AccessOwn; bit <<= 1 {
			if slices.Contains(k.Access, bit.Names()[0]) {
				object.Kernel.Access |= bit
			}
		}
	}
	return object
}

func (e *Event) restoreOverlaps(infos []OverlapInfo) error {
	for i := range infos {
		info := &infos[i]
		row := ByName(info.EventName)
		if row == nil {
			return fmt.Errorf("overlaps[%d].eventName: no event is called %q", i, info.EventName)
		}
		at, err := parseNumber(info.Address)
		if err != nil {
			return fmt.Errorf("overlaps[%d].address: %w", i, err)
		}
		e.Overlaps = append(e.Overlaps, Overlap{
			HostPID: info.HostProcessID, HostTID: info.HostThreadID, ID: row.ID, Writes: info.Writes,
			Address: at, Length: info.Length, BootNS: uint64(info.Timestamp), DurationNS: valueOf(info.DurationNS),
		})
	}
	return nil
}
