package event

import (
	"encoding/binary"
	"encoding/hex"
	"strconv"
	"strings"
)

// MemoryRegion is one piece of user memory.
type MemoryRegion struct {
	Arg      string   `json:"arg" doc:"argument that leads to it; *ptr for what is behind ipc's second pointer"`
	Type     string   `json:"type" doc:"C type: msgbuf, sembuf[], timespec, ipc_ds, semun, pointer"`
	Address  string   `json:"address" doc:"user address"`
	Length   uint64   `json:"length" doc:"bytes that the call asks the kernel to read, or that the kernel wrote"`
	AtEntry  *Content `json:"atEntry,omitempty" doc:"what was there when the call began; absent if not looked at"`
	InKernel *Content `json:"inKernel,omitempty" doc:"the kernel's own copy, which nobody can change any more; absent if the call failed before, or where the kernel cannot be watched there. Settings are in the layout of 64-bit programs"`
	AtExit   *Content `json:"atExit,omitempty" doc:"what was there when the call ended; absent if not looked at"`

	Written   bool          `json:"written" doc:"the kernel writes to it: what it has at exit is no change"`
	Changed   *bool         `json:"changed,omitempty" doc:"input that was not the same at every look; absent where no two looks compare"`
	Differing []string      `json:"differing,omitempty" doc:"which looks differ: atEntry-inKernel, atEntry-atExit, inKernel-atExit"`
	Mappings  []MappingInfo `json:"mappings,omitempty" doc:"what was mapped at its first and last byte when the call began"`
}

// Content is what one look at user memory gave, raw and decoded.
type Content struct {
	State        string      `json:"state" doc:"read, cut (only the first bytes) or unreadable"`
	Bytes        string      `json:"bytes" doc:"the bytes that were kept, hexadecimal"`
	LengthRead   uint64      `json:"lengthRead" doc:"how many bytes were read, those of the digest included"`
	Digest       string      `json:"digest,omitempty" doc:"keyed hash of the first digestLength bytes, of a message's text; there where bytes is not all. It compares with others of the same run only"`
	DigestLength *uint64     `json:"digestLength,omitempty" doc:"bytes that the digest covers"`
	Source       string      `json:"source,omitempty" doc:"inKernel: function (an argument of a kernel function), or kmalloc (the message that msgsnd allocated, read when the call ended)"`
	Length       *uint64     `json:"length,omitempty" doc:"inKernel: how many bytes the kernel has"`
	Mtype        *int64      `json:"mtype,omitempty" doc:"msgbuf: type of the message"`
	Text         *string     `json:"text,omitempty" doc:"msgbuf: text of the message, invalid UTF-8 replaced"`
	Sops         []Operation `json:"sops,omitempty" doc:"sembuf[]: the operations"`
	Seconds      *int64      `json:"tvSec,omitempty" doc:"timespec: seconds"`
	Nanos        *int64      `json:"tvNsec,omitempty" doc:"timespec: nanoseconds"`
	UID          *uint32     `json:"uid,omitempty" doc:"ipc_ds: owner, to be set or as it is"`
	GID          *uint32     `json:"gid,omitempty" doc:"ipc_ds: group, to be set or as it is"`
	Mode         *uint16     `json:"mode,omitempty" doc:"ipc_ds: mode, to be set or as it is"`
	QBytes       *uint64     `json:"qbytes,omitempty" doc:"ipc_ds of a queue: capacity, to be set or as it is"`
	Values       []uint16    `json:"values,omitempty" doc:"semun of SETALL and GETALL: the semaphore values"`
	Pointer      string      `json:"pointer,omitempty" doc:"pointer: the address behind ipc's ptr or third"`
}

// Operation is one struct sembuf.
type Operation struct {
	Number uint16   `json:"sem_num" doc:"index of the semaphore"`
	Op     int16    `json:"sem_op" doc:"what is added to it; 0 waits for zero"`
	Flg    int16    `json:"sem_flg" doc:"flags as a number"`
	Flags  []string `json:"flags" doc:"symbolic flags"`
}

// MappingInfo is what the kernel has mapped at one byte of user memory.
type MappingInfo struct {
	Byte        string  `json:"byte" doc:"first or last"`
	State       string  `json:"state" doc:"read, unmapped (nothing is mapped there) or unread (the kernel's table was locked, or cannot be looked at)"`
	Shared      *bool   `json:"shared,omitempty" doc:"it is shared with whoever else maps the same; absent if unread or unmapped"`
	Userfaultfd *bool   `json:"userfaultfd,omitempty" doc:"a process handles its page faults, and can hold up who reads it; absent if unread or unmapped"`
	Resident    *bool   `json:"resident,omitempty" doc:"it could be read without a page fault; absent if unread or unmapped"`
	FileSystem  string  `json:"fileSystem,omitempty" doc:"the file system of the file that is mapped: fuse, tmpfs, hugetlbfs or the number of another one; absent for anonymous memory"`
	Segment     *int32  `json:"segment,omitempty" doc:"identifier of the System V segment that it lies in"`
	Attached    *uint32 `json:"attached,omitempty" doc:"how often that segment is attached, by all processes together"`
}

// OverlapInfo is another call on the same memory at the same time.
type OverlapInfo struct {
	HostProcessID uint32  `json:"hostProcessId" doc:"process of the other call, in the initial PID namespace"`
	HostThreadID  uint32  `json:"hostThreadId" doc:"thread of the other call, in the initial PID namespace"`
	EventName     string  `json:"eventName" doc:"the other call"`
	Address       string  `json:"address" doc:"start of the other call's memory"`
	Length        uint64  `json:"length" doc:"bytes of the other call's memory"`
	Writes        bool    `json:"writes" doc:"the kernel writes to that memory for the other call"`
	Timestamp     int64   `json:"timestamp" doc:"entry of the other call, nanoseconds since the Unix epoch"`
	DurationNS    *uint64 `json:"durationNs,omitempty" doc:"how long the other call took; absent if it was still under way when this one ended"`
}

func (e *Event) memoryRegions() []MemoryRegion {
	var regions []MemoryRegion
	for i := range e.Memory {
		m := &e.Memory[i]
		if m.Arg == "" {
			continue
		}
		region := MemoryRegion{
			Arg: m.Arg, Type: m.typeName(), Address: address(m.Address), Length: m.Length,
			AtEntry: e.LookedAt(m, AtEntry), InKernel: e.LookedAt(m, InKernel), AtExit: e.LookedAt(m, AtExit),
			Written: m.Written(), Mappings: m.MappingInfos(),
		}
		if differing, compared := e.Differing(m); compared {
			region.Changed, region.Differing = new(len(differing) > 0), differing
		}
		regions = append(regions, region)
	}
	return regions
}

func (m *Memory) typeName() string {
	if m.Pointee == NoPointee {
		return "pointer"
	}
	return m.Pointee.String()
}

// Differing names the pairs of looks at input that differ, as documents do. compared
// is false where none compare. It allocates only if some differ.
func (e *Event) Differing(m *Memory) (pairs []string, compared bool) {
	for i, outcome := range e.Compare(m) {
		if outcome == Differs {
			pairs = append(pairs, LookPairs[i])
		}
		compared = compared || outcome != NotCompared
	}
	return pairs, compared
}

// LookPairs names the pairs of looks that Compare compares.
var LookPairs = [...]string{"atEntry-inKernel", "atEntry-atExit", "inKernel-atExit"}

// Compare compares the looks at input, pair by pair.
func (e *Event) Compare(m *Memory) (outcomes [len(LookPairs)]Comparison) {
	if m.Written() {
		return outcomes
	}
	return [...]Comparison{e.compareKernel(m, &m.Entry), m.Entry.compare(&m.Exit), e.compareKernel(m, &m.Exit)}
}

// compareKernel compares user memory with the kernel's copy of it.
func (e *Event) compareKernel(m *Memory, user *View) Comparison {
	if m.Pointee != Settings || !e.ABI.Is32Bit() {
		return user.compare(&m.Kernel)
	}
	kind := e.SettingsKind()
	theirs, ok1 := e.userLayout().decode(kind, user.Bytes)
	ours, ok2 := settingsLayout(e.ABI.Native(), false).decode(kind, m.Kernel.Bytes)
	switch {
	case !ok1 || !ok2:
		return NotCompared
	case theirs != ours:
		return Differs
	default:
		return Same
	}
}

// MappingInfos is MemoryRegion.Mappings.
func (m *Memory) MappingInfos() []MappingInfo {
	var infos []MappingInfo
	for i, at := range []string{"first", "last"} {
		mapping := &m.Mappings[i]
		if mapping.State == MappingAbsent {
			continue
		}
		info := MappingInfo{Byte: at, State: mapping.State.String()}
		if mapping.State == Mapped {
			info.Shared, info.Userfaultfd = new(mapping.Shared), new(mapping.Userfaultfd)
			info.Resident = new(mapping.Resident)
			info.FileSystem = mapping.FileSystem()
		}
		if mapping.IsSegment {
			info.Segment, info.Attached = new(mapping.SegmentID), new(mapping.Attached)
		}
		infos = append(infos, info)
	}
	return infos
}

// KnownFileSystem names the file system behind a mapping; "" for one that has no
// name here, and for anonymous memory.
// Those that can be dangerous have one; include/uapi/linux/magic.h.
func (m *Mapping) KnownFileSystem() string {
	for i := range fileSystems {
		if fileSystems[i].magic == m.Magic {
			return fileSystems[i].name
		}
	}
	return ""
}

// fileSystems has those names, a list that is faster to go through than a map.
var fileSystems = [...]struct {
	magic uint32
	name  string
}{{0x65735546, "fuse"}, {0x01021994, "tmpfs"}, {0x958458f6, "hugetlbfs"}}

// FileSystem is MappingInfo.FileSystem.
func (m *Mapping) FileSystem() string {
	if name := m.KnownFileSystem(); name != "" || m.Magic == 0 {
		return name
	}
	return "0x" + strconv.FormatUint(uint64(m.Magic), 16)
}

func (e *Event) userLayout() *layout {
	return settingsLayout(e.ABI, OldStructures(e.ABI, e.Multiplexed, e.RawCommand))
}

// Look is one of the times at which user memory is looked at.
type Look uint8

// The looks, in the order of time.
const (
	AtEntry Look = iota
	InKernel
	AtExit
	Looks // how many there are
)

// View is what a look gave.
func (m *Memory) View(look Look) *View {
	return [Looks]*View{&m.Entry, &m.Kernel, &m.Exit}[look]
}

// LookedAt decodes what a look gave, as documents have it; nil if nobody looked.
func (e *Event) LookedAt(m *Memory, look Look) *Content {
	if look != InKernel {
		return e.content(m, m.View(look), e.userLayout())
	}
	c := e.content(m, &m.Kernel, settingsLayout(e.ABI.Native(), false))
	if c != nil {
		c.Length, c.Source = new(m.KernelLength), m.KernelSource.String()
	}
	return c
}

// content decodes a view. All but settings has the layout of the caller.
func (e *Event) content(m *Memory, v *View, settings *layout) *Content {
	if v.State == Absent {
		return nil
	}
	c := &Content{State: v.State.String(), Bytes: hex.EncodeToString(v.Bytes), LengthRead: uint64(len(v.Bytes))}
	if v.Digested > 0 {
		c.Digest, c.DigestLength = hex.EncodeToString(binary.BigEndian.AppendUint64(nil, v.Digest)), new(v.Digested)
		c.LengthRead = max(c.LengthRead, v.Digested+m.digestOffset(e.ABI))
	}
	switch m.Pointee {
	case MsgbufIn, MsgbufOut:
		if mtype, text, ok := Msgbuf(e.ABI, v.Bytes); ok {
			c.Mtype, c.Text = &mtype, new(strings.ToValidUTF8(string(text), "\ufffd"))
		}
	case Sembufs:
		for op := range EachSembuf(v.Bytes) {
			c.Sops = append(c.Sops, Operation{op.Number, op.Op, op.Flags, SembufFlags.Flags([]string{}, uint32(uint16(op.Flags)))})
		}
	case Timespec:
		if sec, nsec, ok := DecodeTimespec(e.ABI, e.Time64, v.Bytes); ok {
			c.Seconds, c.Nanos = &sec, &nsec
		}
	case Settings, SettingsOut:
		c.settings(e.SettingsKind(), settings, v.Bytes)
	case Semun, SemunOut:
		for b := v.Bytes; len(b) >= 2; b = b[2:] {
			c.Values = append(c.Values, uint16(littleEndian(b, 2)))
		}
	case NoPointee:
		if word := WordSize(e.ABI); len(v.Bytes) >= word {
			c.Pointer = address(littleEndian(v.Bytes, word))
		}
	}
	return c
}

// SettingsAt decodes the settings of an object that a look gave. ok is false if the
// memory is none, or too little of it is there.
func (e *Event) SettingsAt(m *Memory, look Look) (set SetRequest, ok bool) {
	if m.Pointee != Settings && m.Pointee != SettingsOut {
		return SetRequest{}, false
	}
	l := e.userLayout()
	if look == InKernel {
		l = settingsLayout(e.ABI.Native(), false)
	}
	return l.decode(e.SettingsKind(), m.View(look).Bytes)
}

func (c *Content) settings(kind Kind, l *layout, b []byte) {
	set, ok := l.decode(kind, b)
	if !ok {
		return
	}
	c.UID, c.GID, c.Mode = &set.UID, &set.GID, &set.Mode
	if kind == MessageQueue {
		c.QBytes = &set.QueueBytes
	}
}

// SettingsKind is the kind of object that IPC_SET changes; for the raw ipc event
// the call number tells.
func (e *Event) SettingsKind() Kind {
	if e.ID == IPC {
		return table[ByCall(e.Call)].Kind
	}
	return e.Row().Kind
}

// OverlapInfos is Document.Overlaps.
func (e *Event) OverlapInfos() []OverlapInfo {
	var infos []OverlapInfo
	for i := range e.Overlaps {
		o := &e.Overlaps[i]
		info := OverlapInfo{
			HostProcessID: o.HostPID, HostThreadID: o.HostTID, EventName: o.ID.String(), Address: address(o.Address),
			Length: o.Length, Writes: o.Writes, Timestamp: unixNS(&e.Process, o.BootNS),
		}
		if o.DurationNS != 0 {
			info.DurationNS = new(o.DurationNS)
		}
		infos = append(infos, info)
	}
	return infos
}
