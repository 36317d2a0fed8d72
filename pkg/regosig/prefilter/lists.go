package prefilter

import (
	"github.com/ipcwarden/ipcwarden/pkg/event"
	"github.com/ipcwarden/ipcwarden/pkg/sieve"
)

// lists has the fields of which an event can have many values.
var lists = map[string]func(*event.Event, comparison, value) bool{
	"args[].name": func(e *event.Event, op comparison, other value) bool {
		args := e.Row().Args
		for i := range args {
			if op.holds(ofText(args[i].Name), other) {
				return true
			}
		}
		return false
	},
	"memory[].changed": ofMemory(changed),
	"memory[].differing[]": func(e *event.Event, op comparison, other value) bool {
		for i := range e.Memory {
			m := &e.Memory[i]
			if m.Arg == "" {
				continue
			}
			for pair, outcome := range e.Compare(m) {
				if outcome == event.Differs && op.holds(ofText(event.LookPairs[pair]), other) {
					return true
				}
			}
		}
		return false
	},
	"memory[].written":  ofMemory(func(_ *event.Event, m *event.Memory) value { return ofBool(m.Written()) }),
	"memory[].arg":      ofMemory(func(_ *event.Event, m *event.Memory) value { return ofText(m.Arg) }),
	"memory[].inKernel": ofMemory(func(_ *event.Event, m *event.Memory) value { return there(m.Kernel.State != event.Absent) }),
	"memory[].mappings[].shared": ofMappings(func(m *event.Mapping) value {
		return ofMapped(m, m.Shared)
	}),
	"memory[].mappings[].userfaultfd": ofMappings(func(m *event.Mapping) value {
		return ofMapped(m, m.Userfaultfd)
	}),
	"memory[].mappings[].resident": ofMappings(func(m *event.Mapping) value {
		return ofMapped(m, m.Resident)
	}),
	"memory[].mappings[].fileSystem": ofMappings(func(m *event.Mapping) value {
		switch name := m.KnownFileSystem(); {
		case m.State != event.Mapped || m.Magic == 0:
			return value{}
		case name == "":
			return value{kind: unnamed}
		default:
			return ofText(name)
		}
	}),
	"memory[].mappings[].segment": ofMappings(func(m *event.Mapping) value {
		if !m.IsSegment {
			return value{}
		}
		return ofInt(m.SegmentID)
	}),
	"memory[].atEntry.sops[].sem_num": ofOperations(operationFields["sem_num"]),
	"memory[].atEntry.sops[].sem_op":  ofOperations(operationFields["sem_op"]),
	"overlaps[].writes": func(e *event.Event, op comparison, other value) bool {
		for i := range e.Overlaps {
			if op.holds(ofBool(e.Overlaps[i].Writes), other) {
				return true
			}
		}
		return false
	},
}

func changed(e *event.Event, m *event.Memory) value {
	differs, compared := compareLooks(e, m)
	if !compared {
		return value{}
	}
	return ofBool(differs)
}

func compareLooks(e *event.Event, m *event.Memory) (differs, compared bool) {
	o := e.Compare(m)
	return o[0] == event.Differs || o[1] == event.Differs || o[2] == event.Differs,
		o != [len(event.LookPairs)]event.Comparison{}
}

// truths decide the fields that signatures ask for most, standing alone.
var truths = map[string]func(*event.Event) bool{
	"error":          func(e *event.Event) bool { return !e.Unfinished && e.Failed() },
	"unfinished":     func(e *event.Event) bool { return e.Unfinished },
	"object.created": func(e *event.Event) bool { return e.Object.Created && e.Object.Kind != event.NoKind },
	"memory[].changed": func(e *event.Event) bool {
		for i := range e.Memory {
			if m := &e.Memory[i]; m.Arg != "" {
				if differs, _ := compareLooks(e, m); differs {
					return true
				}
			}
		}
		return false
	},
	"memory[].mappings[].userfaultfd": anyMapping(func(m *event.Mapping) bool { return m.Userfaultfd }),
	"memory[].mappings[].shared":      anyMapping(func(m *event.Mapping) bool { return m.Shared }),
	"overlaps":                        func(e *event.Event) bool { return len(e.Overlaps) > 0 },
}

// The guards of conditions on memory: of most calls it is private to the process, and
// nobody else changes it.
var (
	differ = &sieve.Guard{Name: "two looks at the input differ", Holds: truths["memory[].changed"]}
	mapped = &sieve.Guard{
		Name: "memory is a file's, shared or served by a process",
		Holds: anyRegion(func(m *event.Mapping) bool {
			return m.IsSegment || m.State == event.Mapped && (m.Shared || m.Userfaultfd || m.Magic != 0)
		}),
	}
)

// guards has the guards of what is asked of lists: by field, of any comparison, and of
// the field standing alone.
var (
	guards = map[string]*sieve.Guard{
		"memory[].differing[]": differ, "memory[].mappings[].fileSystem": mapped, "memory[].mappings[].segment": mapped,
	}
	truthGuards = map[string]*sieve.Guard{
		"memory[].changed": differ, "memory[].mappings[].userfaultfd": mapped, "memory[].mappings[].shared": mapped,
		"memory[].mappings[].fileSystem": mapped, "memory[].mappings[].segment": mapped,
	}
)

func anyMapping(is func(*event.Mapping) bool) func(*event.Event) bool {
	return anyRegion(func(m *event.Mapping) bool { return m.State == event.Mapped && is(m) })
}

// anyRegion tells whether the mapping of either end of any region is such.
func anyRegion(is func(*event.Mapping) bool) func(*event.Event) bool {
	return func(e *event.Event) bool {
		for i := range e.Memory {
			if m := &e.Memory[i]; m.Arg != "" && (is(&m.Mappings[0]) || is(&m.Mappings[1])) {
				return true
			}
		}
		return false
	}
}

func ofMapped(m *event.Mapping, is bool) value {
	if m.State != event.Mapped {
		return value{}
	}
	return ofBool(is)
}

func ofMemory(get func(*event.Event, *event.Memory) value) func(*event.Event, comparison, value) bool {
	return func(e *event.Event, op comparison, other value) bool {
		for i := range e.Memory {
			if m := &e.Memory[i]; m.Arg != "" && op.holds(get(e, m), other) {
				return true
			}
		}
		return false
	}
}

func ofMappings(get func(*event.Mapping) value) func(*event.Event, comparison, value) bool {
	return func(e *event.Event, op comparison, other value) bool {
		for i := range e.Memory {
			if e.Memory[i].Arg == "" {
				continue
			}
			for j := range e.Memory[i].Mappings {
				if m := &e.Memory[i].Mappings[j]; m.State != event.MappingAbsent && op.holds(get(m), other) {
					return true
				}
			}
		}
		return false
	}
}

func ofOperations(get func(event.Sembuf) int64) func(*event.Event, comparison, value) bool {
	return func(e *event.Event, op comparison, other value) bool {
		for i := range e.Memory {
			m := &e.Memory[i]
			if m.Pointee != event.Sembufs || m.Arg == "" {
				continue
			}
			for b := m.Entry.Bytes; len(b) >= event.SembufSize; b = b[event.SembufSize:] {
				if op.holdsFor(get(event.DecodeSembuf(b)), other) {
					return true
				}
			}
		}
		return false
	}
}
