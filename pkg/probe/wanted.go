package probe

import (
	"fmt"
	"time"
	"unsafe"

	"github.com/aquasecurity/libbpfgo"
	"golang.org/x/sys/unix"

	"github.com/ipcwarden/ipcwarden/pkg/event"
	"github.com/ipcwarden/ipcwarden/pkg/pushdown"
)

// wantedSection is the section, and so the map, that wanted_events has for itself.
const wantedSection = ".data.wanted"

// SetEvents replaces the events of the filter, for calls that are entered from
// now on. They are among those of Options.Filter and Options.MayWant.
func (p *Probe) SetEvents(events event.Set) error {
	m, err := p.module.GetMap(wantedSection)
	if err != nil {
		return fmt.Errorf("find BPF map %s: %w", wantedSection, err)
	}
	var key uint32
	value := uint64(events)
	if size := m.ValueSize(); size != int(unsafe.Sizeof(value)) {
		return fmt.Errorf("BPF map %s has values of %d bytes, not %d", wantedSection, size, unsafe.Sizeof(value))
	}
	if err := m.Update(unsafe.Pointer(&key), unsafe.Pointer(&value)); err != nil {
		return fmt.Errorf("set the events to capture: %w", err)
	}
	return nil
}

// rulesMap is the map that has the map of the rules in use.
const rulesMap = "rules_in_use"

// SetWanted replaces what is wanted of the events, for calls that are entered or end
// from now on; Options.Wanted must not have been nil. Each call is judged by all of
// one set or all of another: the kernel replaces the map of the rules as a whole, and
// returns when no program uses the old one any more.
func (p *Probe) SetWanted(wanted pushdown.Set) error {
	var settled uint64
	if p.muter.generation > 0 {
		// Until then calls may end by the old rules.
		settled = uint64(bootNS() + time.Second.Nanoseconds())
	}
	rules := make([]pushdown.Rule, event.Count)
	for _, row := range event.Rows() {
		rules[row.ID] = wanted.Rule(row.ID)
		rules[row.ID].Generation, rules[row.ID].SettledNS = p.muter.generation+1, settled
	}
	inner, err := libbpfgo.CreateMap(libbpfgo.MapTypeArray, "rules", int(unsafe.Sizeof(uint32(0))), int(unsafe.Sizeof(rules[0])), len(rules), nil)
	if err != nil {
		return fmt.Errorf("make a BPF map of rules: %w", err)
	}
	defer func() { _ = unix.Close(inner.FileDescriptor()) }() // the kernel keeps what is in use
	for i := range rules {
		key := uint32(i)
		if err := inner.Update(unsafe.Pointer(&key), unsafe.Pointer(&rules[i])); err != nil {
			return fmt.Errorf("fill a BPF map of rules: %w", err)
		}
	}
	if err := replaceMap(p.module, rulesMap, inner); err != nil {
		return err
	}
	p.muter.use(wanted)
	return nil
}

// replaceMap puts a map into the one that has the map in use, and returns when no program
// uses the old one any more.
func replaceMap(module *libbpfgo.Module, outer string, inner *libbpfgo.BPFMapLow) error {
	m, err := module.GetMap(outer)
	if err != nil {
		return fmt.Errorf("find BPF map %s: %w", outer, err)
	}
	key, fd := uint32(0), uint32(inner.FileDescriptor())
	if err := m.Update(unsafe.Pointer(&key), unsafe.Pointer(&fd)); err != nil {
		return fmt.Errorf("replace what is in BPF map %s: %w", outer, err)
	}
	return nil
}
