package e2e

import (
	"encoding/json"
)

// document is what the tests read of an event's JSON document. It is spelt out
// here and not taken from package event, whose names are part of what is tested.
type document struct {
	EventName        string
	Args             []argument
	Arg              map[string]any
	ArgsNum          int
	ReturnValue      json.Number
	Error            *string
	Flags            []string
	Command          *string
	Via              string
	Syscall          string
	IPC              *struct{ Call, Version uint16 }
	ContextFlags     struct{ IsCompat bool }
	Object           map[string]any
	Memory           []region
	Sleeps           uint32
	StalledNS        *int64
	Overlaps         []overlap
	OverlapsOmitted  uint32
	Unfinished       bool
	DurationNS       int64
	Timestamp        int64
	ProcessName      string
	ProcessID        uint32
	ThreadID         uint32
	HostProcessID    uint32
	HostThreadID     uint32
	UserID           uint32
	EffectiveUserID  uint32
	IPCNamespace     json.Number
	Executable       struct{ Path string }
	StackAddresses   []any
	ThreadStartTime  int64
	HostName         string
	HostParentProcID uint32 `json:"hostParentProcessId"`
	Ancestors        []struct {
		HostProcessID uint32
		ProcessName   string
	}
}

type argument struct {
	Name  string
	Type  string
	Value any // json.Number, or a string for a pointer
}

type region struct {
	Arg       string
	Type      string
	Address   string
	Length    uint64
	AtEntry   *content
	InKernel  *content
	AtExit    *content
	Written   bool
	Changed   *bool
	Differing []string
	Mappings  []mapping
}

type content struct {
	State        string
	Bytes        string
	LengthRead   uint64
	Digest       string
	DigestLength uint64
	Source       string
	Length       *uint64
	Mtype        *int64
	Text         *string
	Sops         []operation
	TvSec        *int64
	TvNsec       *int64
	UID          *uint32
	GID          *uint32
	Mode         *uint16
	QBytes       *uint64
	Values       []uint16
	Pointer      string
}

type mapping struct {
	Byte        string
	State       string
	Shared      *bool
	Userfaultfd *bool
	FileSystem  string
	Segment     *int32
	Attached    *uint32
}

type overlap struct {
	HostProcessID uint32
	HostThreadID  uint32
	EventName     string
	Address       string
	Length        uint64
	Writes        bool
	Timestamp     int64
	DurationNS    *int64
}

type operation struct {
	SemNum uint16 `json:"sem_num"`
	SemOp  int16  `json:"sem_op"`
	SemFlg int16  `json:"sem_flg"`
	Flags  []string
}

// best is the look at the memory that has something: the one at entry, else the
// one at exit.
func (r region) best() *content {
	if r.AtEntry != nil && (r.AtEntry.Bytes != "" || r.AtExit == nil) {
		return r.AtEntry
	}
	return r.AtExit
}

func (d document) region(arg string) *region {
	for i := range d.Memory {
		if d.Memory[i].Arg == arg {
			return &d.Memory[i]
		}
	}
	return nil
}

// errorName is the symbolic error, "" for success.
func (d document) errorName() string {
	if d.Error == nil {
		return ""
	}
	return *d.Error
}

func (d document) commandName() string {
	if d.Command == nil {
		return ""
	}
	return *d.Command
}

// ofProcess keeps the documents of one process, in their order.
func ofProcess(all []document, pid uint32) []document {
	var mine []document
	for _, d := range all {
		if d.HostProcessID == pid {
			mine = append(mine, d)
		}
	}
	return mine
}

// split takes the raw ipc events out of the decoded ones.
func split(all []document) (decoded, raw []document) {
	for _, d := range all {
		if d.EventName == "ipc" {
			raw = append(raw, d)
		} else {
			decoded = append(decoded, d)
		}
	}
	return decoded, raw
}
