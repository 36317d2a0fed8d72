package prefilter

import (
	"github.com/ipcwarden/ipcwarden/pkg/event"
	"github.com/ipcwarden/ipcwarden/pkg/pushdown"
)

// numeric is a field of the document that is a number.
type numeric struct {
	field pushdown.Field
	kind  pushdown.Kind
	needs pushdown.Fact // without which the field is not there
	of    event.Kind    // the only objects that have it, if not all
}

var numerics = map[string]numeric{
	"returnValue":       {field: pushdown.Return},
	"durationNs":        {field: pushdown.Duration, kind: pushdown.Unsigned},
	"sleeps":            {field: pushdown.Sleeps},
	"stalledNs":         {field: pushdown.Stalled, kind: pushdown.Unsigned, needs: pushdown.Copied},
	"stalledSleeps":     {field: pushdown.StalledSleeps, needs: pushdown.Copied},
	"userId":            {field: pushdown.UID},
	"groupId":           {field: pushdown.GID},
	"effectiveUserId":   {field: pushdown.EUID},
	"effectiveGroupId":  {field: pushdown.EGID},
	"object.id":         {field: pushdown.ObjectID, kind: pushdown.Int, needs: pushdown.HasObject},
	"object.key":        {field: pushdown.ObjectKey, kind: pushdown.Int, needs: pushdown.HasObject},
	"object.mode":       {field: pushdown.ObjectMode, needs: pushdown.HasObject},
	"object.ownerUid":   {field: pushdown.OwnerUID, needs: pushdown.HasObject},
	"object.ownerGid":   {field: pushdown.OwnerGID, needs: pushdown.HasObject},
	"object.creatorUid": {field: pushdown.CreatorUID, needs: pushdown.HasObject},
	"object.creatorGid": {field: pushdown.CreatorGID, needs: pushdown.HasObject},
	"object.qbytes":     {pushdown.Size0, pushdown.Unsigned, pushdown.HasObject, event.MessageQueue},
	"object.cbytes":     {pushdown.Size1, pushdown.Unsigned, pushdown.HasObject, event.MessageQueue},
	"object.qnum":       {pushdown.Size2, pushdown.Unsigned, pushdown.HasObject, event.MessageQueue},
	"object.nsems":      {pushdown.Size0, pushdown.Unsigned, pushdown.HasObject, event.Semaphore},
	"object.segsz":      {pushdown.Size0, pushdown.Unsigned, pushdown.HasObject, event.SharedMemory},
	"object.nattch":     {pushdown.Size1, pushdown.Unsigned, pushdown.HasObject, event.SharedMemory},
	"object.lspid":      {pushdown.PID0, pushdown.Unsigned, pushdown.HasObject, event.MessageQueue},
	"object.lrpid":      {pushdown.PID1, pushdown.Unsigned, pushdown.HasObject, event.MessageQueue},
	"object.cpid":       {pushdown.PID0, pushdown.Unsigned, pushdown.HasObject, event.SharedMemory},
	"object.lpid":       {pushdown.PID1, pushdown.Unsigned, pushdown.HasObject, event.SharedMemory},
}

// number takes the comparison of a number with constants.
func (f form) number(row *event.Row) (ways, bool) {
	n, known := numerics[f.field]
	switch {
	case !known || f.negated && n.needs != 0:
		return nil, false
	case n.of != event.NoKind && n.of != row.Kind:
		return never, true
	}
	list, ok := f.spans(n.field, n.kind, f.mask)
	if !ok || n.needs == 0 {
		return list, ok
	}
	for i := range list {
		list[i] = append(list[i], n.needs.Test(true))
	}
	return list, true
}

// spans has one way for each constant.
func (f form) spans(field pushdown.Field, kind pushdown.Kind, mask uint64) (ways, bool) {
	var list ways
	for _, v := range f.values {
		t, ok := f.op.span(v)
		if !ok {
			return nil, false
		}
		t.Field, t.Kind, t.Mask = field, kind, mask
		list = append(list, []pushdown.Test{t})
	}
	return f.either(list), len(f.values) > 0
}

// argument takes the comparison of an argument with constants.
func (f form) argument(row *event.Row, name string) (ways, bool) {
	i := row.Find(name)
	if f.negated {
		return nil, false
	}
	if i < 0 {
		return never, true
	}
	arg, field, mask := &row.Args[i], pushdown.Field(i), f.mask
	if arg.Decode.IsCommand() {
		mask &^= event.IPC64
	}
	switch arg.Type {
	case event.Int:
		return f.spans(field, pushdown.Int, mask)
	case event.Long:
		return f.spans(field, pushdown.Long, mask)
	case event.Size:
		return f.spans(field, pushdown.Unsigned, mask)
	case event.Pointer:
		if f.isText("0x0") && f.mask == allBits {
			return one(pushdown.Test{Field: field, Kind: pushdown.Unsigned, Mask: allBits}), true
		}
	}
	return nil, false
}

// length takes the length of a pointer's text, which bounds the pointer.
func (f form) length(row *event.Row, name string) (ways, bool) {
	i := row.Find(name)
	if f.negated || len(f.values) != 1 {
		return nil, false
	}
	if i < 0 || row.Args[i].Type != event.Pointer {
		return never, true
	}
	span, ok := f.op.span(f.values[0])
	if !ok || span.Outside || f.mask != allBits {
		return nil, false
	}
	digits := span.High - int64(len("0x"))
	switch {
	case digits < 1:
		return never, true
	case digits >= 16:
		return nil, false
	}
	return one(pushdown.Test{Field: pushdown.Field(i), Kind: pushdown.Unsigned, Mask: allBits, High: 1<<(4*digits) - 1}), true
}
