package regosig

import (
	"github.com/ipcwarden/ipcwarden/pkg/event"
	"github.com/ipcwarden/ipcwarden/pkg/regosig/plan"
)

// parts are pieces of the document that were made into values without the rest
// of it; undefined until somebody asks.
type parts struct {
	used     bool
	content  [event.MaxMemory][event.Looks]plan.Value
	texts    [event.MaxMemory][event.Looks]plan.Value
	mappings [event.MaxMemory]plan.Value
	overlaps plan.Value

	ancestors plan.Value
}

// partOf reads a part, which is made of what infos lists when it is first asked for.
func partOf[T any](part func(*parts) *plan.Value, infos func(*view) []T, convert func(*[]T) plan.Value) func(any) plan.Value {
	return func(source any) plan.Value {
		v := source.(*view)
		value := part(&v.parts)
		if !value.Defined() {
			list := infos(v)
			*value = convert(&list)
			v.parts.used = true
		}
		return *value
	}
}

// memoryNode is Document.Memory.
func memoryNode() *plan.Node {
	node := &plan.Node{Len: func(source any) int { return source.(*view).nregions }, Whole: wholeAt("memory")}
	for i := range event.MaxMemory {
		node.Elements = append(node.Elements, regionNode(i))
	}
	return node
}

// regionNode is the i-th region.
func regionNode(i int) *plan.Node {
	whole := wholeAt("memory")
	node := &plan.Node{
		Whole: func(source any) plan.Value { return whole(source).Get(plan.Int(int64(i))) },
		Members: map[string]*plan.Member{
			"arg":     readField(func(v *view) plan.Value { return plan.String(v.regions[i].Arg) }).member(),
			"type":    readField(func(v *view) plan.Value { return plan.String(typeOf(v.regions[i])) }).member(),
			"address": readField(func(v *view) plan.Value { return v.addressText(v.regions[i].Address) }).member(),
			"length":  readField(func(v *view) plan.Value { return plan.Uint(v.regions[i].Length) }).member(),
			"written": readField(func(v *view) plan.Value { return plan.Bool(v.regions[i].Written()) }).member(),
			"changed": readField(func(v *view) plan.Value {
				differing, compared := v.compare(i)
				return ifPresent(compared, plan.Bool(differing != 0))
			}).member(),
			"differing": readField(func(v *view) plan.Value {
				differing, _ := v.compare(i)
				return differingPairs[differing]
			}).member(),
			"mappings": parent(mappingsNode(i), func(v *view) bool { return v.mappings(i) > 0 }),
		},
	}
	for look, name := range [event.Looks]string{"atEntry", "inKernel", "atExit"} {
		node.Members[name] = parent(contentNode(i, event.Look(look)), func(v *view) bool {
			return v.look(i, event.Look(look)).State != event.Absent
		})
	}
	return node
}

// typeOf is MemoryRegion.Type.
func typeOf(m *event.Memory) string {
	if m.Pointee == event.NoPointee {
		return "pointer"
	}
	return m.Pointee.String()
}

// compare tells which of event.LookPairs differ, a bit for each.
func (v *view) compare(i int) (differing int, compared bool) {
	for pair, outcome := range v.event.Compare(v.regions[i]) {
		if outcome == event.Differs {
			differing |= 1 << pair
		}
		compared = compared || outcome != event.NotCompared
	}
	return differing, compared
}

// differingPairs has MemoryRegion.Differing for what compare returns; undefined if
// nothing differs.
var differingPairs = func() (values [1 << len(event.LookPairs)]plan.Value) {
	for differing := range values {
		var names []plan.Value
		for pair, name := range event.LookPairs {
			if differing&(1<<pair) != 0 {
				names = append(names, plan.String(name))
			}
		}
		if names != nil {
			values[differing] = plan.Array(names)
		}
	}
	return values
}()
