package regosig

import (
	"github.com/ipcwarden/ipcwarden/pkg/event"
	"github.com/ipcwarden/ipcwarden/pkg/regosig/plan"
)

// ancestorsNode is Document.Ancestors.
func ancestorsNode() *plan.Node {
	whole := func(source any) plan.Value {
		v := source.(*view)
		if !v.parts.ancestors.Defined() {
			infos := v.event.AncestorInfos()
			v.parts.ancestors = convertAncestors(&infos)
			v.parts.used = true
		}
		return v.parts.ancestors
	}
	node := &plan.Node{Len: func(source any) int { return len(source.(*view).event.Process.Ancestors) }, Whole: whole}
	for n := range event.MaxAncestors {
		element := objectNode[event.AncestorInfo](map[string]readField{
			"hostProcessId": func(v *view) plan.Value { return plan.Int(int64(v.event.Process.Ancestors[n].HostPID)) },
			"processName":   func(v *view) plan.Value { return printed(v.event.Process.Ancestors[n].Comm) },
		})
		element.Whole = func(source any) plan.Value { return whole(source).Get(plan.Int(int64(n))) }
		node.Elements = append(node.Elements, element)
	}
	return node
}
