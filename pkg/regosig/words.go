package regosig

import (
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"sync"

	"github.com/ipcwarden/ipcwarden/pkg/event"
)

// words is what events of a set can have: the names that fields can be compared
// with, and the members of the objects that differ by event.
type words struct {
	values map[string]vocabulary // by field
	fields map[string][]string   // by object
}

// vocabulary is the values that a field of the event can have.
type vocabulary struct {
	what    string
	names   []string
	pattern *regexp.Regexp // of those that have no name
}

func (v vocabulary) has(name string) bool {
	return v.pattern != nil && v.pattern.MatchString(name) || slices.Contains(v.names, name)
}

// isWord tells whether any field can have the name.
func isWord(name string) bool {
	for _, v := range allWords().values {
		if v.has(name) {
			return true
		}
	}
	return false
}

// allWords is the words of every event.
var allWords = sync.OnceValue(func() *words {
	w := wordsOf(event.All)
	var errors, entries []string
	unknown := regexp.MustCompile(`^E\d+$`)
	for errno := int64(1); errno < 4096; errno++ {
		if name := event.Errno(-errno); !unknown.MatchString(name) {
			errors = append(errors, name)
		}
	}
	for _, row := range event.Rows() {
		entries = append(entries, row.Name)
		for _, entry := range row.Entries {
			entries = append(entries, entry.Name)
		}
	}
	w.values["input.syscall"] = vocabulary{"system call", entries, nil}
	w.values["input.via"] = vocabulary{"entry", []string{"syscall", event.IPC.String()}, nil}
	w.values["input.error"] = vocabulary{"error", errors, unknown}
	w.values["input.memory[_].arg"] = vocabulary{"argument", append(slices.Clip(w.values[argumentField].names), "*ptr"), nil}
	w.values["input.overlaps[_].eventName"] = w.values[eventNameField]
	w.values["input.memory[_].differing[_]"] = vocabulary{"pair of looks", event.LookPairs[:], nil}
	w.values["data.ipcwarden.call.outcome"] = vocabulary{"outcome", append(slices.Clip(errors), "ok", "unfinished"), unknown}
	return w
})

// Fields by the names of their values.
const (
	eventNameField = "input.eventName"
	flagField      = "input.flags[_]"
	argumentField  = "input.args[_].name"
)

// unnamedFlag is a flag that has a number, or a size, for a name.
var unnamedFlag = regexp.MustCompile(`^0x[0-9a-f]+$|^SHM_HUGE_\d+(KB|MB|GB)?$`)

// wordsOf is the words in which events of one set differ from those of another.
func wordsOf(events event.Set) *words {
	var flags, commands, kinds []string
	arguments, objects := map[string]bool{}, map[string]bool{}
	for _, row := range event.Rows() {
		selected := events.Has(row.ID)
		// All but its arguments ipc has of the call that it stands for.
		if !selected && !events.Has(event.IPC) {
			continue
		}
		for _, arg := range row.Args {
			if selected {
				arguments[arg.Name] = true
			}
			decoder := arg.Decode
			if arg.Pointee == event.Sembufs {
				decoder = event.SembufFlags
			}
			for _, n := range decoder.Names() {
				if decoder.IsCommand() {
					commands = append(commands, n.Name)
				} else {
					flags = append(flags, n.Name)
				}
			}
		}
		if row.Kind != event.NoKind {
			kinds = append(kinds, row.Kind.String())
		}
		for name := range objectFields(row.Kind) {
			objects[name] = true
		}
	}
	names := slices.Sorted(maps.Keys(arguments))
	return &words{
		values: map[string]vocabulary{
			argumentField:       {"argument", names, nil},
			eventNameField:      {"event", events.Names(), nil},
			flagField:           {"flag", flags, unnamedFlag},
			"input.command":     {"command", commands, nil},
			"input.object.kind": {"kind of object", kinds, nil},
		},
		fields: map[string][]string{
			"input.arg":    names,
			"input.object": slices.Sorted(maps.Keys(objects)),
		},
	}
}

// objectFields is the members of the document's object of a kind.
func objectFields(kind event.Kind) map[string]any {
	e := event.Event{ID: event.IPC, Object: event.Object{Kind: kind, Kernel: event.KernelObject{Seen: true}}}
	var d event.Document
	e.Document(&d)
	var fields map[string]any
	text, err := json.Marshal(d.Object)
	if err == nil {
		err = json.Unmarshal(text, &fields)
	}
	if err != nil {
		panic(fmt.Sprintf("the object of an event is no JSON object: %v", err)) // whatever the event
	}
	return fields
}
