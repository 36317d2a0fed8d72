package regosig

import (
	"github.com/ipcwarden/ipcwarden/pkg/event"
	"github.com/ipcwarden/ipcwarden/pkg/regosig/plan"
)

// mappings is how many mappings the i-th region has.
func (v *view) mappings(i int) (n int) {
	for _, m := range v.regions[i].Mappings {
		if m.State != event.MappingAbsent {
			n++
		}
	}
	return n
}

// mapping is the n-th of them, and the byte that it is of.
func (v *view) mapping(i, n int) (m *event.Mapping, of string) {
	mappings := &v.regions[i].Mappings
	if mappings[0].State == event.MappingAbsent {
		n++
	}
	return &mappings[n], [...]string{"first", "last"}[n]
}

// mappingsNode is Mappings of the i-th region.
func mappingsNode(i int) *plan.Node {
	whole := partOf(func(p *parts) *plan.Value { return &p.mappings[i] },
		func(v *view) []event.MappingInfo { return v.regions[i].MappingInfos() }, convertMappings)
	node := &plan.Node{Len: func(source any) int { return source.(*view).mappings(i) }, Whole: whole}
	for n := range len(event.Memory{}.Mappings) {
		node.Elements = append(node.Elements, mappingNode(i, n))
	}
	return node
}

func mappingNode(i, n int) *plan.Node {
	field := func(read func(*event.Mapping) plan.Value) *plan.Member {
		return readField(func(v *view) plan.Value {
			m, _ := v.mapping(i, n)
			return read(m)
		}).member()
	}
	// What is only there for memory that is mapped.
	mapped := func(is func(*event.Mapping) bool) *plan.Member {
		return field(func(m *event.Mapping) plan.Value { return ifPresent(m.State == event.Mapped, plan.Bool(is(m))) })
	}
	node := &plan.Node{
		Members: map[string]*plan.Member{
			"byte": readField(func(v *view) plan.Value {
				_, of := v.mapping(i, n)
				return plan.String(of)
			}).member(),
			"state":       field(func(m *event.Mapping) plan.Value { return plan.String(m.State.String()) }),
			"shared":      mapped(func(m *event.Mapping) bool { return m.Shared }),
			"userfaultfd": mapped(func(m *event.Mapping) bool { return m.Userfaultfd }),
			"resident":    mapped(func(m *event.Mapping) bool { return m.Resident }),
			"fileSystem": readField(func(v *view) plan.Value {
				m, _ := v.mapping(i, n)
				switch name := m.KnownFileSystem(); {
				case m.State != event.Mapped:
					return plan.Value{}
				case name == "" && m.Magic != 0:
					return v.addressText(uint64(m.Magic)) // written as addresses are
				default:
					return unlessEmpty(name)
				}
			}).member(),
			"segment":  field(func(m *event.Mapping) plan.Value { return ifPresent(m.IsSegment, plan.Int(int64(m.SegmentID))) }),
			"attached": field(func(m *event.Mapping) plan.Value { return ifPresent(m.IsSegment, plan.Int(int64(m.Attached))) }),
		},
	}
	node.Whole = func(source any) plan.Value { return node.Read(&source.(*view).evaluator, source) }
	return node
}

// overlapsNode is Document.Overlaps.
func overlapsNode() *plan.Node {
	whole := partOf(func(p *parts) *plan.Value { return &p.overlaps },
		func(v *view) []event.OverlapInfo { return v.event.OverlapInfos() }, convertOverlaps)
	node := &plan.Node{Len: func(source any) int { return len(source.(*view).event.Overlaps) }, Whole: whole}
	for n := range event.MaxOverlaps {
		element := objectNode[event.OverlapInfo](map[string]readField{
			"hostProcessId": func(v *view) plan.Value { return plan.Int(int64(v.event.Overlaps[n].HostPID)) },
			"hostThreadId":  func(v *view) plan.Value { return plan.Int(int64(v.event.Overlaps[n].HostTID)) },
			"eventName":     func(v *view) plan.Value { return plan.String(v.event.Overlaps[n].ID.String()) },
			"address":       func(v *view) plan.Value { return v.addressText(v.event.Overlaps[n].Address) },
			"length":        func(v *view) plan.Value { return plan.Uint(v.event.Overlaps[n].Length) },
			"writes":        func(v *view) plan.Value { return plan.Bool(v.event.Overlaps[n].Writes) },
			"durationNs": func(v *view) plan.Value {
				return ifPresent(v.event.Overlaps[n].DurationNS != 0, plan.Uint(v.event.Overlaps[n].DurationNS))
			},
			"timestamp": func(v *view) plan.Value {
				return whole(v).Get(plan.Int(int64(n))).Get(plan.String("timestamp"))
			},
		})
		element.Whole = func(source any) plan.Value { return whole(source).Get(plan.Int(int64(n))) }
		node.Elements = append(node.Elements, element)
	}
	return node
}
