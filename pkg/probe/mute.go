package probe

import (
	"errors"
	"fmt"
	"time"
	"unsafe"

	"github.com/aquasecurity/libbpfgo"
	"golang.org/x/sys/unix"

	"github.com/ipcwarden/ipcwarden/pkg/event"
	"github.com/ipcwarden/ipcwarden/pkg/pushdown"
)

// mutesMap is the map of what is muted, which has room for maxMutes.
const (
	mutesMap = "mutes"
	maxMutes = 1024
)

// muteKey and muteValue are struct mute_key and struct mute of ebpf/rule.h.
type muteKey struct{ pid, event uint32 }

type muteValue struct {
	untilNS, count      uint64
	clauses, generation uint32
}

// muter is what is muted at the moment. It is for the goroutine that reads events.
type muter struct {
	wanted     pushdown.Set // the rules in use
	generation uint32
	owned      map[string]masks // by signature, of those that have been muted
	active     map[muteKey]pushdown.Counted
}

// masks is the clauses of one signature alone, by event.
type masks [event.Count]uint32

// use takes new rules.
func (m *muter) use(wanted pushdown.Set) {
	m.wanted, m.owned = wanted, map[string]masks{}
	m.generation++
}

// masksOf finds them once: an alert must not wait for all clauses to be compared.
func (m *muter) masksOf(signature string) masks {
	list, known := m.owned[signature]
	if !known && m.owned != nil {
		for _, row := range event.Rows() {
			list[row.ID] = m.wanted.Owned(row.ID, signature)
		}
		m.owned[signature] = list
	}
	return list
}

// Mute has calls of a process counted by the kernel, for so long and while the ring
// fills up, that match nothing but what one signature is for: it has found already that
// there are too many of them. Without rules, or if very much is muted, it does nothing.
func (p *Probe) Mute(signature string, pid uint32, lasts time.Duration) error {
	now, until := time.Now(), uint64(bootNS()+lasts.Nanoseconds())
	for id, mask := range p.muter.masksOf(signature) {
		key := muteKey{pid, uint32(id)}
		if _, muted := p.muter.active[key]; mask == 0 || muted || len(p.muter.active) == maxMutes {
			continue
		}
		m, err := p.module.GetMap(mutesMap)
		if err != nil {
			return fmt.Errorf("find BPF map %s: %w", mutesMap, err)
		}
		value := muteValue{untilNS: until, clauses: mask, generation: p.muter.generation}
		if err := m.Update(unsafe.Pointer(&key), unsafe.Pointer(&value)); err != nil {
			return fmt.Errorf("mute process %d: %w", pid, err)
		}
		if p.muter.active == nil {
			p.muter.active = map[muteKey]pushdown.Counted{}
		}
		p.muter.active[key] = pushdown.Counted{
			Muted: pushdown.Muted{Signature: signature, HostPID: pid, Event: event.ID(id)}, From: now, To: now.Add(lasts),
		}
	}
	return nil
}

// Unmute ends what is muted until before a time, and returns what was counted
// meanwhile, without what was not called.
func (p *Probe) Unmute(before time.Time) (counted []pushdown.Counted, err error) {
	if len(p.muter.active) == 0 {
		return nil, nil
	}
	m, err := p.module.GetMap(mutesMap)
	if err != nil {
		return nil, fmt.Errorf("find BPF map %s: %w", mutesMap, err)
	}
	for key, muted := range p.muter.active {
		if !muted.To.Before(before) {
			continue
		}
		delete(p.muter.active, key)
		value, err := takeMute(m, key)
		if err != nil {
			return counted, fmt.Errorf("unmute process %d: %w", key.pid, err)
		}
		if now := time.Now(); muted.To.After(now) {
			muted.To = now
		}
		if muted.Count = value.count; muted.Count > 0 {
			counted = append(counted, muted)
		}
	}
	return counted, nil
}

// takeMute removes a mute from the map, whose count is final then.
func takeMute(m *libbpfgo.BPFMap, key muteKey) (value muteValue, err error) {
	b, err := m.GetValue(unsafe.Pointer(&key))
	if errors.Is(err, unix.ENOENT) {
		return value, nil // it made room for another
	}
	if err != nil {
		return value, err
	}
	copy(unsafe.Slice((*byte)(unsafe.Pointer(&value)), unsafe.Sizeof(value)), b)
	if err := m.DeleteKey(unsafe.Pointer(&key)); err != nil && !errors.Is(err, unix.ENOENT) {
		return value, err
	}
	return value, nil
}
