package regosig

import (
	"slices"

	"github.com/ipcwarden/ipcwarden/pkg/event"
	"github.com/ipcwarden/ipcwarden/pkg/regosig/plan"
)

// maxOperations is how many operations of a call are read one by one. Longer lists
// are made into a value.
const maxOperations = 16

func (v *view) look(i int, look event.Look) *event.View { return v.regions[i].View(look) }

// content is what a look at the i-th region of the document gave; undefined if
// nobody looked.
func (v *view) content(i int, look event.Look) plan.Value {
	part := &v.parts.content[i][look]
	if !part.Defined() && v.look(i, look).State != event.Absent {
		content := v.event.LookedAt(v.regions[i], look)
		*part = convertContent(&content)
		v.parts.used = true
	}
	return *part
}

// isMessage tells whether a struct msgbuf is there.
func isMessage(m *event.Memory) bool {
	return m.Pointee == event.MsgbufIn || m.Pointee == event.MsgbufOut
}

// text is Content.Text, undefined if there is none.
func (v *view) text(i int, look event.Look) plan.Value {
	part := &v.parts.texts[i][look]
	if !part.Defined() && isMessage(v.regions[i]) {
		if _, text, ok := event.Msgbuf(v.event.ABI, v.look(i, look).Bytes); ok {
			*part = printed(string(text))
			v.parts.used = true
		}
	}
	return *part
}

// contentNode is one look at the i-th region.
func contentNode(i int, look event.Look) *plan.Node {
	own := map[string]readField{
		"state": func(v *view) plan.Value { return plan.String(v.look(i, look).State.String()) },
		"mtype": func(v *view) plan.Value {
			if !isMessage(v.regions[i]) {
				return plan.Value{}
			}
			mtype, _, ok := event.Msgbuf(v.event.ABI, v.look(i, look).Bytes)
			return ifPresent(ok, plan.Int(mtype))
		},
		"uid":  settingsField(i, look, func(set event.SetRequest) plan.Value { return plan.Int(int64(set.UID)) }),
		"gid":  settingsField(i, look, func(set event.SetRequest) plan.Value { return plan.Int(int64(set.GID)) }),
		"mode": settingsField(i, look, func(set event.SetRequest) plan.Value { return plan.Int(int64(set.Mode)) }),
	}
	own["text"] = func(v *view) plan.Value { return v.text(i, look) }
	own["tvSec"] = timespecField(i, look, func(seconds, _ int64) int64 { return seconds })
	own["tvNsec"] = timespecField(i, look, func(_, nanos int64) int64 { return nanos })
	qbytes := settingsField(i, look, func(set event.SetRequest) plan.Value { return plan.Uint(set.QueueBytes) })
	own["qbytes"] = func(v *view) plan.Value { return ifPresent(v.event.SettingsKind() == event.MessageQueue, qbytes(v)) }
	node := objectNode[event.Content](own)
	node.Whole = func(source any) plan.Value { return source.(*view).content(i, look) }
	for name, member := range node.Members {
		if own[name] == nil {
			key, of := plan.String(name), pointees[name]
			member.Read = func(source any) plan.Value {
				v := source.(*view)
				if of != nil && !slices.Contains(of, v.regions[i].Pointee) {
					return plan.Value{}
				}
				return v.content(i, look).Get(key)
			}
		}
	}
	node.Members["sops"] = operationsMember(i, look)
	return node
}

// pointees has the members of Content that only some memory has.
var pointees = map[string][]event.Pointee{
	"values": {event.Semun, event.SemunOut}, "pointer": {event.NoPointee},
}

// timespecField is a member of Content that only a time has.
func timespecField(i int, look event.Look, part func(seconds, nanos int64) int64) readField {
	return func(v *view) plan.Value {
		if v.regions[i].Pointee != event.Timespec {
			return plan.Value{}
		}
		seconds, nanos, ok := event.DecodeTimespec(v.event.ABI, v.event.Time64, v.look(i, look).Bytes)
		return ifPresent(ok, plan.Int(part(seconds, nanos)))
	}
}

// settingsField is a member of Content that only settings have.
func settingsField(i int, look event.Look, read func(event.SetRequest) plan.Value) readField {
	return func(v *view) plan.Value {
		set, ok := v.event.SettingsAt(v.regions[i], look)
		return ifPresent(ok, read(set))
	}
}

// operationsMember is Content.Sops.
func operationsMember(i int, look event.Look) *plan.Member {
	key := plan.String("sops")
	whole := func(source any) plan.Value {
		v := source.(*view)
		n := v.operations(i, look)
		if n > maxOperations {
			return v.content(i, look).Get(key)
		}
		sops := v.look(i, look).Bytes
		return v.evaluator.NewArray(n, func(n int) plan.Value { return v.operation(event.DecodeSembuf(sops[n*event.SembufSize:])) })
	}
	node := &plan.Node{
		Len:   func(source any) int { return source.(*view).operations(i, look) },
		Whole: whole,
	}
	for n := range maxOperations {
		operation := func(v *view) event.Sembuf { return event.DecodeSembuf(v.look(i, look).Bytes[n*event.SembufSize:]) }
		node.Elements = append(node.Elements, &plan.Node{
			Whole: func(source any) plan.Value { v := source.(*view); return v.operation(operation(v)) },
			Members: map[string]*plan.Member{
				"sem_num": readField(func(v *view) plan.Value { return plan.Int(int64(operation(v).Number)) }).member(),
				"sem_op":  readField(func(v *view) plan.Value { return plan.Int(int64(operation(v).Op)) }).member(),
				"sem_flg": readField(func(v *view) plan.Value { return plan.Int(int64(operation(v).Flags)) }).member(),
				"flags":   readField(func(v *view) plan.Value { return operationFlags(operation(v).Flags) }).member(),
			},
		})
	}
	return &plan.Member{Node: node, Read: func(source any) plan.Value {
		switch n := source.(*view).operations(i, look); {
		case n == 0:
			return plan.Value{}
		case n > maxOperations:
			return whole(source)
		default:
			return plan.Null
		}
	}}
}

// operationKeys are the members of an operation, in order.
var operationKeys = []plan.Value{plan.String("flags"), plan.String("sem_flg"), plan.String("sem_num"), plan.String("sem_op")}

// operation is Operation, valid until the next evaluation.
func (v *view) operation(op event.Sembuf) plan.Value {
	return v.evaluator.NewObject(operationKeys,
		operationFlags(op.Flags), plan.Int(int64(op.Flags)), plan.Int(int64(op.Number)), plan.Int(int64(op.Op)))
}

// operations is how many of them a look gave.
func (v *view) operations(i int, look event.Look) int {
	if v.regions[i].Pointee != event.Sembufs {
		return 0
	}
	return len(v.look(i, look).Bytes) / event.SembufSize
}

// usualFlags are the flags of operations that have no others than these.
const usualFlags = event.IPCNowait | event.SemUndo

// operationFlags is Operation.Flags.
func operationFlags(flags int16) plan.Value {
	bits := uint32(uint16(flags))
	if bits&^usualFlags == 0 {
		return flagLists[bits/event.IPCNowait]
	}
	return namesOf(event.SembufFlags, bits)
}

// flagLists has the values of operationFlags for the usual ones.
var flagLists = func() (lists [usualFlags/event.IPCNowait + 1]plan.Value) {
	for i := range lists {
		lists[i] = namesOf(event.SembufFlags, uint32(i)*event.IPCNowait)
	}
	return lists
}()
