package event

import (
	"encoding/json"
	"fmt"
	"hash/fnv"
	"strconv"
	"strings"
)

// Document is what a signature sees of an event, and what trace prints: a
// superset of Tracee's trace.Event. rego/schemas/event.json is generated from
// it; a field's doc tag is its description there.
type Document struct {
	Timestamp           int64        `json:"timestamp" doc:"entry of the call, nanoseconds since the Unix epoch"`
	ThreadStartTime     int64        `json:"threadStartTime" doc:"start of the thread, nanoseconds since the Unix epoch"`
	ProcessorID         uint32       `json:"processorId" doc:"CPU on which the call ended"`
	ProcessID           uint32       `json:"processId" doc:"process id in its own PID namespace"`
	CgroupID            uint64       `json:"cgroupId" doc:"id of the cgroup v2 directory of the process"`
	ThreadID            uint32       `json:"threadId" doc:"thread id in its own PID namespace"`
	ParentProcessID     uint32       `json:"parentProcessId" doc:"real parent, as the process itself sees it; 0 if outside of its PID namespace"`
	HostProcessID       uint32       `json:"hostProcessId" doc:"process id in the initial PID namespace"`
	HostThreadID        uint32       `json:"hostThreadId" doc:"thread id in the initial PID namespace"`
	HostParentProcessID uint32       `json:"hostParentProcessId" doc:"real parent in the initial PID namespace"`
	UserID              uint32       `json:"userId" doc:"real user id, in the initial user namespace"`
	GroupID             uint32       `json:"groupId" doc:"real group id, in the initial user namespace"`
	EffectiveUserID     uint32       `json:"effectiveUserId" doc:"effective user id, which the kernel checks permissions with"`
	EffectiveGroupID    uint32       `json:"effectiveGroupId" doc:"effective group id, which the kernel checks permissions with"`
	MountNamespace      uint32       `json:"mountNamespace" doc:"inode of the mount namespace"`
	PIDNamespace        uint32       `json:"pidNamespace" doc:"inode of the PID namespace"`
	IPCNamespace        uint32       `json:"ipcNamespace" doc:"inode of the IPC namespace"`
	ProcessName         string       `json:"processName" doc:"comm of the thread"`
	Executable          Executable   `json:"executable" doc:"what the process runs"`
	HostName            string       `json:"hostName" doc:"name of the host"`
	ContainerID         string       `json:"containerId" doc:"id of the container, empty on the host"`
	Container           Container    `json:"container" doc:"the container"`
	Kubernetes          Kubernetes   `json:"kubernetes" doc:"the pod"`
	EventID             string       `json:"eventId" doc:"Tracee's number of the event on amd64"`
	EventName           string       `json:"eventName" doc:"name of the event"`
	MatchedPolicies     []string     `json:"matchedPolicies" doc:"always empty; kept for Tracee's signatures"`
	ArgsNum             int          `json:"argsNum" doc:"number of arguments"`
	ReturnValue         int64        `json:"returnValue" doc:"what the call returned; negative errno on failure"`
	Syscall             string       `json:"syscall" doc:"system call that the thread made: ipc for a multiplexed one"`
	StackAddresses      []uint64     `json:"stackAddresses" doc:"always empty; kept for Tracee's signatures"`
	ContextFlags        ContextFlags `json:"contextFlags" doc:"facts about the caller"`
	ThreadEntityID      uint32       `json:"threadEntityId" doc:"hash of thread id and start time"`
	ProcessEntityID     uint32       `json:"processEntityId" doc:"hash of process id and start time"`
	ParentEntityID      uint32       `json:"parentEntityId" doc:"hash of the parent's process id and start time"`
	Args                []Argument   `json:"args" doc:"the arguments in order"`

	Arg        Arguments      `json:"arg" doc:"the arguments by name"`
	Flags      []string       `json:"flags" doc:"symbolic flags of the call; of all its operations together for semop and semtimedop"`
	Command    string         `json:"command,omitempty" doc:"symbolic command of a *ctl call or of ipc"`
	Error      string         `json:"error,omitempty" doc:"symbolic errno; absent on success"`
	DurationNS uint64         `json:"durationNs" doc:"time from entry to exit in nanoseconds"`
	Unfinished bool           `json:"unfinished,omitempty" doc:"the thread was killed in the call, which never returned"`
	Via        string         `json:"via" doc:"syscall, or ipc for a call through ipc(2)"`
	IPC        *IPCCall       `json:"ipc,omitempty" doc:"how ipc(2) was called"`
	Object     *ObjectInfo    `json:"object,omitempty" doc:"the IPC object that the call acted on, as the kernel has it"`
	Memory     []MemoryRegion `json:"memory,omitempty" doc:"user memory that the arguments lead to"`

	Sleeps          uint32        `json:"sleeps" doc:"how often the thread gave up its CPU to wait for something in the call: the kernel's count of voluntary switches"`
	StalledNS       *uint64       `json:"stalledNs,omitempty" doc:"time from entry until the kernel had its copy of the main input, in nanoseconds; absent where no function shows that copy, or where the call failed before"`
	StalledSleeps   *uint32       `json:"stalledSleeps,omitempty" doc:"how often the thread slept in that time; there with stalledNs. A thread that was merely not given a CPU has not slept"`
	Overlaps        []OverlapInfo `json:"overlaps,omitempty" doc:"calls of other threads with the same address space that were under way on the same memory at the same time"`
	OverlapsOmitted uint32        `json:"overlapsOmitted,omitempty" doc:"overlapping calls beyond those in overlaps"`

	Ancestors []AncestorInfo `json:"ancestors,omitempty" doc:"the process tree upward, the parent first: at most 8 processes, as they were up to a second before; it ends where a process had ended before anybody looked"`
}

// Executable is the file that the process runs.
type Executable struct {
	Path string `json:"path" doc:"path in the mount namespace of the process, followed by \" (deleted)\" if no directory has the file; empty for a path of more than 32 names or a kilobyte whose process has ended"`
	Bits uint8  `json:"bits,omitempty" doc:"32 or 64, what the program was built for; looked for only if the call came through the 32-bit system call table"`
}

// Container identifies the container of the process.
type Container struct {
	ID          string `json:"id" doc:"id of the container, empty on the host"`
	Name        string `json:"name" doc:"name of the container, as its runtime says, like the rest; empty if that cannot be read"`
	Image       string `json:"image" doc:"image of the container, by the name that it was asked for"`
	ImageDigest string `json:"imageDigest" doc:"digest or id of the image"`
}

// Kubernetes identifies the pod of the process.
type Kubernetes struct {
	PodName      string `json:"podName" doc:"name of the pod"`
	PodNamespace string `json:"podNamespace" doc:"namespace of the pod"`
	PodUID       string `json:"podUID" doc:"uid of the pod"`
}

// ContextFlags are facts about the caller.
type ContextFlags struct {
	ContainerStarted bool `json:"containerStarted" doc:"the call was made in a container"`
	IsCompat         bool `json:"isCompat" doc:"the call came through the 32-bit system call table"`
}

// IPCCall is how ipc(2) was called.
type IPCCall struct {
	Call    uint16 `json:"call" doc:"operation: lower half of the first argument"`
	Version uint16 `json:"version" doc:"version: upper half of the first argument"`
}

// ObjectInfo is a message queue, a semaphore set or a segment.
type ObjectInfo struct {
	Kind       string `json:"kind" doc:"msg, sem or shm"`
	ID         int32  `json:"id" doc:"identifier"`
	Key        int32  `json:"key" doc:"key; 0 for IPC_PRIVATE"`
	Namespace  uint32 `json:"namespace" doc:"inode of the IPC namespace"`
	Created    bool   `json:"created" doc:"the object was created by this call"`
	Mode       uint16 `json:"mode" doc:"permission bits, and SHM_DEST 01000 and SHM_LOCKED 02000 of a segment"`
	OwnerUID   uint32 `json:"ownerUid" doc:"user id of the owner"`
	OwnerGID   uint32 `json:"ownerGid" doc:"group id of the owner"`
	CreatorUID uint32 `json:"creatorUid" doc:"user id of the creator"`
	CreatorGID uint32 `json:"creatorGid" doc:"group id of the creator"`
	Sequence   uint64 `json:"sequence" doc:"the kernel's reuse counter of the id's slot"`

	QueueBytes     *uint64 `json:"qbytes,omitempty" doc:"msg: capacity in bytes"`
	CurrentBytes   *uint64 `json:"cbytes,omitempty" doc:"msg: bytes in the queue"`
	Messages       *uint64 `json:"qnum,omitempty" doc:"msg: messages in the queue"`
	LastSendPID    *uint32 `json:"lspid,omitempty" doc:"msg: host process id of the last sender"`
	LastReceivePID *uint32 `json:"lrpid,omitempty" doc:"msg: host process id of the last receiver"`
	Semaphores     *uint64 `json:"nsems,omitempty" doc:"sem: semaphores in the set"`
	SegmentBytes   *uint64 `json:"segsz,omitempty" doc:"shm: size in bytes"`
	Attached       *uint64 `json:"nattch,omitempty" doc:"shm: current attachments"`
	CreatorPID     *uint32 `json:"cpid,omitempty" doc:"shm: host process id of the creator"`
	CreatorGone    bool    `json:"creatorGone,omitempty" doc:"shm: the creator has ended; looked for only when a segment is attached that is marked for removal"`
	LastPID        *uint32 `json:"lpid,omitempty" doc:"shm: host process id of the last shmat or shmdt"`

	InKernel *KernelObjectInfo `json:"inKernel,omitempty" doc:"what the kernel's own checks have of the object; absent where they cannot be watched"`
}

// KernelObjectInfo is the kernel's own view of the object of a call.
type KernelObjectInfo struct {
	ID     *int32   `json:"id,omitempty" doc:"identifier of the object that the kernel acted on; absent if it refused before it looked"`
	Access []string `json:"access" doc:"what the caller has to be allowed to do: read, write, execute, own"`
}

// Argument is one argument in Tracee's form.
type Argument struct {
	Name  string `json:"name" doc:"name of the argument"`
	Type  string `json:"type" doc:"C type"`
	Value any    `json:"value" doc:"integer, or 0x-string for a pointer"`
}

// Arguments is the same list, written as an object by name.
type Arguments []Argument

// MarshalJSON writes {"name": value, …} in the order of the list.
func (a Arguments) MarshalJSON() ([]byte, error) {
	b := []byte{'{'}
	for i, arg := range a {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(strconv.AppendQuote(b, arg.Name), ':')
		value, err := json.Marshal(arg.Value)
		if err != nil {
			return nil, fmt.Errorf("argument %s: %w", arg.Name, err)
		}
		b = append(b, value...)
	}
	return append(b, '}'), nil
}

// Document fills d with e. Nothing in d refers to e's memory afterwards.
func (e *Event) Document(d *Document) {
	row, p := e.Row(), &e.Process
	*d = Document{
		Timestamp:           e.TimeNS,
		ThreadStartTime:     unixNS(p, p.ThreadStartNS),
		ProcessorID:         e.CPU,
		ProcessID:           p.PID,
		CgroupID:            p.CgroupID,
		ThreadID:            p.TID,
		ParentProcessID:     p.ParentPID,
		HostProcessID:       p.HostPID,
		HostThreadID:        p.HostTID,
		HostParentProcessID: p.HostParentPID,
		UserID:              p.UID,
		GroupID:             p.GID,
		EffectiveUserID:     p.EUID,
		EffectiveGroupID:    p.EGID,
		MountNamespace:      p.MountNamespace,
		PIDNamespace:        p.PIDNamespace,
		IPCNamespace:        p.IPCNamespace,
		ProcessName:         strings.ToValidUTF8(p.Comm, "\ufffd"),
		Executable:          Executable{Path: strings.ToValidUTF8(p.Executable, "\ufffd"), Bits: p.ProgramBits},
		HostName:            strings.ToValidUTF8(p.HostName, "\ufffd"),
		ContainerID:         p.ContainerID,
		Container:           p.container(),
		Kubernetes:          p.kubernetes(),
		EventID:             strconv.FormatUint(uint64(row.TraceeID), 10),
		EventName:           row.Name,
		MatchedPolicies:     []string{},
		ArgsNum:             len(row.Args),
		ReturnValue:         e.Return,
		Syscall:             e.Syscall(),
		StackAddresses:      []uint64{},
		ContextFlags:        ContextFlags{ContainerStarted: p.ContainerID != "", IsCompat: e.Compat},
		ThreadEntityID:      entityID(p.HostTID, p.ThreadStartNS),
		ProcessEntityID:     entityID(p.HostPID, p.ProcessStartNS),
		ParentEntityID:      entityID(p.HostParentPID, p.ParentStartNS),
		Args:                e.arguments(),
		Flags:               e.Flags([]string{}),
		Command:             e.Command(),
		DurationNS:          e.DurationNS,
		Unfinished:          e.Unfinished,
		Via:                 "syscall",
		Object:              e.objectInfo(),
		Memory:              e.memoryRegions(),
		Sleeps:              e.Sleeps,
		Overlaps:            e.OverlapInfos(),
		OverlapsOmitted:     e.OverlapsOmitted,
		Ancestors:           e.AncestorInfos(),
	}
	if e.CopiedNS != 0 {
		d.StalledNS, d.StalledSleeps = new(e.CopiedNS-e.BootNS), new(e.CopiedSleeps)
	}
	d.Arg = d.Args
	if !e.Unfinished {
		d.Error = Errno(e.Return)
	}
	if e.Multiplexed {
		d.Via = table[IPC].Name
		d.IPC = &IPCCall{Call: e.Call, Version: e.Version}
	}
}

func unixNS(p *Process, bootNS uint64) int64 { return int64(bootNS) + p.BootToUnixNS }

// entityID tells a process or thread from a later one with the same number.
func entityID(id uint32, startNS uint64) uint32 {
	h := fnv.New32a()
	var b [12]byte
	for i := range 4 {
		b[i] = byte(id >> (8 * i))
	}
	for i := range 8 {
		b[4+i] = byte(startNS >> (8 * i))
	}
	h.Write(b[:])
	return h.Sum32()
}

func (e *Event) arguments() []Argument {
	row := e.Row()
	args := make([]Argument, len(row.Args))
	for i := range row.Args {
		args[i] = Argument{Name: row.Args[i].Name, Type: row.Args[i].CType, Value: e.argValue(i)}
	}
	return args
}

func (e *Event) argValue(i int) any {
	switch v := e.Args[i]; e.Row().Args[i].Type {
	case Pointer:
		return address(v)
	case Int, Long:
		return int64(v)
	default:
		return v
	}
}

func address(v uint64) string { return "0x" + strconv.FormatUint(v, 16) }

func (e *Event) objectInfo() *ObjectInfo {
	o := &e.Object
	if o.Kind == NoKind {
		return nil
	}
	info := &ObjectInfo{
		Kind: o.Kind.String(), ID: o.ID, Key: o.Key, Namespace: e.Process.IPCNamespace,
		Created: o.Created, Mode: o.Mode, Sequence: o.Sequence,
		OwnerUID: o.OwnerUID, OwnerGID: o.OwnerGID, CreatorUID: o.CreatorUID, CreatorGID: o.CreatorGID,
	}
	if k := &o.Kernel; k.Seen || k.Access != 0 {
		info.InKernel = &KernelObjectInfo{Access: k.Access.Names()}
		if k.Seen {
			info.InKernel.ID = new(k.ID)
		}
	}
	switch o.Kind {
	case MessageQueue:
		info.QueueBytes, info.CurrentBytes, info.Messages = new(o.QueueBytes), new(o.CurrentBytes), new(o.Messages)
		info.LastSendPID, info.LastReceivePID = new(o.LastSendPID), new(o.LastReceivePID)
	case Semaphore:
		info.Semaphores = new(o.Semaphores)
	case SharedMemory:
		info.SegmentBytes, info.Attached = new(o.SegmentBytes), new(o.Attached)
		info.CreatorPID, info.LastPID = new(o.CreatorPID), new(o.LastPID)
		info.CreatorGone = o.CreatorGone
	}
	return info
}
