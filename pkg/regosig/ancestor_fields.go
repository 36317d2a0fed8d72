package regosig

import (
	"github.com/ipcwarden/ipcwarden/pkg/event"
	"github.com/ipcwarden/ipcwarden/pkg/regosig/plan"
)

// ancestorsNode is Document.Ancestors.
func ancestorsNode() *plan.Node {
	whole := partOf(func(p *parts) *plan.Value { return &p.ancestors },
		func(v *view) []event.AncestorInfo { return v.event.AncestorInfos() }, convertAncestors)
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
