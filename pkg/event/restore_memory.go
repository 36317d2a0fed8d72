package event

import (
	"encoding/hex"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

func (e *Event) restoreMemory(regions []MemoryRegion) error {
	for i := range regions {
		m, err := e.memoryOf(&regions[i])
		if err != nil {
			return fmt.Errorf("memory[%d]%w", i, err)
		}
		place := MainMemory
		switch m.Pointee {
		case Timespec:
			place = TimeoutMemory
		case NoPointee:
			place = IndirectMemory
		case Settings, SettingsOut:
			e.restoreVersion(m.Length)
		}
		e.Memory[place] = m
	}
	return nil
}

// restoreVersion finds out by the size of the structure whether the caller passed
// IPC_64, which documents leave out of the command.
func (e *Event) restoreVersion(length uint64) {
	if !OldStructures(e.ABI, e.Multiplexed, 0) {
		return
	}
	e.RawCommand |= IPC64
	if length == uint64(SettingsSize(e.SettingsKind(), e.ABI, true)) {
		e.RawCommand &^= IPC64
	}
}

// memoryOf reads a region. Errors begin with the name of a field and its dot.
func (e *Event) memoryOf(r *MemoryRegion) (m Memory, err error) {
	m = Memory{Arg: r.Arg, Length: r.Length, Pointee: e.pointeeOf(r)}
	if m.Address, err = parseNumber(r.Address); err != nil {
		return m, fmt.Errorf(".address: %w", err)
	}
	for _, look := range []struct {
		name string
		from *Content
		to   *View
	}{{"atEntry", r.AtEntry, &m.Entry}, {"inKernel", r.InKernel, &m.Kernel}, {"atExit", r.AtExit, &m.Exit}} {
		if *look.to, err = look.from.view(); err != nil {
			return m, fmt.Errorf(".%s%w", look.name, err)
		}
	}
	if r.InKernel != nil {
		m.KernelLength = valueOf(r.InKernel.Length)
		m.KernelSource = Source(max(0, slices.Index(sourceNames[:], r.InKernel.Source)))
	}
	for i := range r.Mappings {
		info := &r.Mappings[i]
		at := slices.Index([]string{"first", "last"}, info.Byte)
		if at < 0 {
			return m, fmt.Errorf(".mappings[%d].byte: %q is neither first nor last", i, info.Byte)
		}
		if m.Mappings[at], err = info.mapping(); err != nil {
			return m, fmt.Errorf(".mappings[%d]%w", i, err)
		}
	}
	return m, nil
}

// pointeeOf is what a region holds: as it says, or else as the call's argument has it.
func (e *Event) pointeeOf(r *MemoryRegion) Pointee {
	pointee := NoPointee
	if i := e.Row().Find(r.Arg); i >= 0 && r.Type == "" {
		pointee = e.Row().Args[i].Pointee
	} else if i := slices.Index(pointeeNames[:], r.Type); i > 0 {
		pointee = Pointee(i)
	}
	written := map[Pointee]Pointee{MsgbufIn: MsgbufOut, Settings: SettingsOut, Semun: SemunOut}
	if out, ok := written[pointee]; ok && r.Written {
		return out
	}
	return pointee
}

func (c *Content) view() (v View, err error) {
	if c == nil {
		return v, nil
	}
	state := slices.Index(stateNames[:], c.State)
	if state < 0 {
		return v, fmt.Errorf(".state: %q is no state", c.State)
	}
	v.State = State(state)
	if v.Bytes, err = hex.DecodeString(c.Bytes); err != nil {
		return v, fmt.Errorf(".bytes: %w", err)
	}
	if c.Digest != "" {
		if v.Digest, err = strconv.ParseUint(c.Digest, 16, 64); err != nil {
			return v, fmt.Errorf(".digest: %w", err)
		}
		v.Digested = valueOf(c.DigestLength)
	}
	return v, nil
}

func (info *MappingInfo) mapping() (m Mapping, err error) {
	m = Mapping{
		Shared: valueOf(info.Shared), Userfaultfd: valueOf(info.Userfaultfd), Resident: valueOf(info.Resident),
		IsSegment: info.Segment != nil, SegmentID: valueOf(info.Segment), Attached: valueOf(info.Attached),
	}
	state := slices.Index(mappingStateNames[:], info.State)
	if state < 0 {
		return m, fmt.Errorf(".state: %q is no state", info.State)
	}
	m.State = MappingState(state)
	for _, known := range fileSystems {
		if known.name == info.FileSystem {
			m.Magic = known.magic
		}
	}
	if strings.HasPrefix(info.FileSystem, "0x") {
		magic, err := strconv.ParseUint(info.FileSystem, 0, 32)
		if err != nil {
			return m, fmt.Errorf(".fileSystem: %w", err)
		}
		m.Magic = uint32(magic)
	}
	return m, nil
}
