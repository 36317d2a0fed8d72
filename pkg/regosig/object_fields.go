package regosig

import (
	"github.com/ipcwarden/ipcwarden/pkg/event"
	"github.com/ipcwarden/ipcwarden/pkg/regosig/plan"
)

// ipcObjectNode is Document.Object.
func ipcObjectNode() *plan.Node {
	ofKind := func(kind event.Kind, read func(*event.Object) uint64) readField {
		return func(v *view) plan.Value {
			if v.event.Object.Kind != kind {
				return plan.Value{}
			}
			return plan.Uint(read(&v.event.Object))
		}
	}
	whole := wholeAt("object", "inKernel")
	return objectNode[event.ObjectInfo](map[string]readField{
		"kind":       func(v *view) plan.Value { return plan.String(v.event.Object.Kind.String()) },
		"id":         func(v *view) plan.Value { return plan.Int(int64(v.event.Object.ID)) },
		"key":        func(v *view) plan.Value { return plan.Int(int64(v.event.Object.Key)) },
		"namespace":  func(v *view) plan.Value { return plan.Int(int64(v.event.Process.IPCNamespace)) },
		"created":    func(v *view) plan.Value { return plan.Bool(v.event.Object.Created) },
		"mode":       func(v *view) plan.Value { return plan.Int(int64(v.event.Object.Mode)) },
		"ownerUid":   func(v *view) plan.Value { return plan.Int(int64(v.event.Object.OwnerUID)) },
		"ownerGid":   func(v *view) plan.Value { return plan.Int(int64(v.event.Object.OwnerGID)) },
		"creatorUid": func(v *view) plan.Value { return plan.Int(int64(v.event.Object.CreatorUID)) },
		"creatorGid": func(v *view) plan.Value { return plan.Int(int64(v.event.Object.CreatorGID)) },
		"sequence":   func(v *view) plan.Value { return plan.Uint(v.event.Object.Sequence) },
		"qbytes":     ofKind(event.MessageQueue, func(o *event.Object) uint64 { return o.QueueBytes }),
		"cbytes":     ofKind(event.MessageQueue, func(o *event.Object) uint64 { return o.CurrentBytes }),
		"qnum":       ofKind(event.MessageQueue, func(o *event.Object) uint64 { return o.Messages }),
		"lspid":      ofKind(event.MessageQueue, func(o *event.Object) uint64 { return uint64(o.LastSendPID) }),
		"lrpid":      ofKind(event.MessageQueue, func(o *event.Object) uint64 { return uint64(o.LastReceivePID) }),
		"nsems":      ofKind(event.Semaphore, func(o *event.Object) uint64 { return o.Semaphores }),
		"segsz":      ofKind(event.SharedMemory, func(o *event.Object) uint64 { return o.SegmentBytes }),
		"nattch":     ofKind(event.SharedMemory, func(o *event.Object) uint64 { return o.Attached }),
		"cpid":       ofKind(event.SharedMemory, func(o *event.Object) uint64 { return uint64(o.CreatorPID) }),
		"creatorGone": func(v *view) plan.Value {
			return ifTrue(v.event.Object.CreatorGone && v.event.Object.Kind == event.SharedMemory)
		},
		"lpid": ofKind(event.SharedMemory, func(o *event.Object) uint64 { return uint64(o.LastPID) }),
		"inKernel": func(v *view) plan.Value {
			if k := &v.event.Object.Kernel; !k.Seen && k.Access == 0 {
				return plan.Value{}
			}
			return whole(v)
		},
	}, "object")
}

// argument is the value of the i-th argument.
func (v *view) argument(i int) plan.Value {
	switch value := v.event.Args[i]; v.event.Row().Args[i].Type {
	case event.Pointer:
		return v.addressText(value)
	case event.Int, event.Long:
		return plan.Int(int64(value))
	default:
		return v.number(value)
	}
}

// argNode is Document.Arg.
func argNode() *plan.Node {
	node := &plan.Node{Members: map[string]*plan.Member{}, Whole: wholeAt("arg")}
	for _, row := range event.Rows() {
		for i := range row.Args {
			name := row.Args[i].Name
			if node.Members[name] == nil {
				node.Members[name] = argumentCalled(name).member()
			}
		}
	}
	return node
}

func argumentCalled(name string) readField {
	var places [1 << 8]int8
	for i := range places {
		places[i] = -1
	}
	for _, row := range event.Rows() {
		places[row.ID] = int8(row.Find(name))
	}
	return func(v *view) plan.Value {
		if i := places[v.event.Row().ID]; i >= 0 {
			return v.argument(int(i))
		}
		return plan.Value{}
	}
}

// argsNode is Document.Args.
func argsNode() *plan.Node {
	node := &plan.Node{
		Len:   func(source any) int { return len(source.(*view).event.Row().Args) },
		Whole: wholeAt("args"),
	}
	for i := range event.MaxArgs {
		node.Elements = append(node.Elements, &plan.Node{
			Members: map[string]*plan.Member{
				"name":  readField(func(v *view) plan.Value { return plan.String(v.event.Row().Args[i].Name) }).member(),
				"type":  readField(func(v *view) plan.Value { return plan.String(v.event.Row().Args[i].CType) }).member(),
				"value": readField(func(v *view) plan.Value { return v.argument(i) }).member(),
			},
			Whole: func(source any) plan.Value { return wholeAt("args")(source).Get(plan.Int(int64(i))) },
		})
	}
	return node
}
