package prefilter

import (
	"math"
	"strings"

	"github.com/ipcwarden/ipcwarden/pkg/event"
	"github.com/ipcwarden/ipcwarden/pkg/pushdown"
)

// maxProduct bounds the clauses that one alternative becomes. A condition that would
// make more of it is left out.
const maxProduct = 16

// Clauses is the part of the filter, for some events, that the BPF programs can
// decide. Like the filter it is necessary and not sufficient.
func (f *Filter) Clauses(events event.Set) []pushdown.Clause {
	var list []pushdown.Clause
	for _, row := range event.Rows() {
		switch {
		case !events.Has(row.ID):
		case f == nil || row.ID == event.IPC: // its fields are those of the call that it stands for
			list = append(list, pushdown.Clause{Events: event.Of(row.ID)})
		default:
			for _, a := range f.alternatives {
				list = append(list, a.clauses(row)...)
			}
		}
	}
	return list
}

// clauses has one clause for each way in which the alternative can hold for an event.
func (a alternative) clauses(row *event.Row) []pushdown.Clause {
	list := []pushdown.Clause{{Events: event.Of(row.ID)}}
	for i := range a {
		ways, understood := a[i].form.ways(row)
		if !understood || len(list)*len(ways) > maxProduct {
			continue
		}
		var product []pushdown.Clause
		for _, c := range list {
			for _, tests := range ways {
				if sum, possible := c.And(tests...); possible {
					product = append(product, sum)
				}
			}
		}
		list = product
	}
	return list
}

// ways lists what the condition can hold by, for an event: each is tests that must
// all hold. There are none if it cannot hold.
type ways [][]pushdown.Test

// The simplest conditions.
var (
	always = ways{nil}
	never  = ways{}
)

func one(tests ...pushdown.Test) ways { return ways{tests} }

// fact is the way of a fact, or of its contrary.
func (f form) fact(fact pushdown.Fact) ways { return one(fact.Test(!f.negated)) }

// ways translates the condition for an event. understood is false where nothing
// follows from it.
func (f form) ways(row *event.Row) (w ways, understood bool) {
	switch f.field {
	case "eventName":
		return f.known(ofText(row.Name))
	case "flags":
		return f.flags(row)
	case "command":
		return f.command(row)
	case "error":
		return f.failure()
	case "via":
		return f.bit(pushdown.Is(pushdown.Origin, pushdown.Multiplexed, pushdown.Multiplexed),
			f.isText(event.IPC.String()), f.isText("syscall"))
	case "contextFlags.isCompat":
		return f.bit(pushdown.Is(pushdown.Origin, pushdown.Compat, pushdown.Compat), f.isTrue(), f.isFalse())
	case "unfinished":
		return f.fact(pushdown.Unfinished), f.isTrue()
	case "object":
		return f.fact(pushdown.HasObject), f.op == isTruthy
	case "object.created":
		return f.fact(pushdown.Created), f.isTrue()
	case "stalledNs", "stalledSleeps":
		if f.op == isTruthy {
			return f.fact(pushdown.Copied), true
		}
	}
	if f.other != "" {
		return f.relation()
	}
	if fact, known := listFacts[f.field]; known {
		return f.list(fact)
	}
	if name, found := strings.CutPrefix(f.field, "arg."); found {
		return f.argument(row, name)
	}
	if name, found := strings.CutPrefix(f.field, "length of arg."); found {
		return f.length(row, name)
	}
	return f.number(row)
}

// known decides a condition on a text that the event alone tells.
func (f form) known(text value) (ways, bool) {
	if len(f.values) == 0 {
		return nil, false
	}
	holds := false
	for _, v := range f.values {
		holds = holds || f.op.holds(text, v)
	}
	if holds != f.negated {
		return always, true
	}
	return never, true
}

// bit is the way of a bit that is always known, or of its contrary.
func (f form) bit(t pushdown.Test, is, isNot bool) (ways, bool) {
	if isNot != f.negated {
		t.Low, t.High = 0, 0
	}
	return one(t), is || isNot
}

// single is the only value that the field is compared with for equality.
func (f form) single(op comparison) (v value, ok bool) {
	if f.op != op || len(f.values) != 1 {
		return value{}, false
	}
	return f.values[0], true
}

func (f form) isText(text string) bool {
	v, ok := f.single(equal)
	return ok && v == ofText(text)
}

func (f form) isTrue() bool {
	v, ok := f.single(equal)
	return f.op == isTruthy || ok && v == ofBool(true)
}

func (f form) isFalse() bool {
	v, ok := f.single(equal)
	return ok && v == ofBool(false)
}

// operationFlags are what it means that an operation in memory has a flag.
var operationFlags = map[uint32]pushdown.Fact{event.SemUndo: pushdown.Undoes, event.IPCNowait: pushdown.NoWait}

func (f form) flags(row *event.Row) (ways, bool) {
	v, ok := f.single(equal)
	if !ok {
		return nil, false
	}
	for i, arg := range row.Args {
		set := arg.Decode
		if arg.Pointee == event.Sembufs {
			set = event.SembufFlags
		}
		for _, n := range set.Names() {
			switch {
			case n.Name != v.text || set.IsCommand():
			case set == event.SembufFlags:
				return f.fact(operationFlags[n.Value]), true
			case f.negated:
				return one(pushdown.Is(pushdown.Field(i), uint64(n.Value), 0)), true
			default:
				return one(pushdown.Is(pushdown.Field(i), uint64(n.Value), int64(n.Value))), true
			}
		}
	}
	return f.known(value{kind: undefined})
}

func (f form) command(row *event.Row) (ways, bool) {
	i := row.CommandAt()
	if f.op != equal && f.op != notEqual {
		return nil, false
	}
	if i < 0 {
		return f.known(value{kind: undefined})
	}
	if f.op == notEqual {
		return nil, false
	}
	var list ways
	for _, v := range f.values {
		for _, n := range row.Args[i].Decode.Names() {
			if n.Name == v.text {
				t := pushdown.Is(pushdown.Field(i), math.MaxUint32&^event.IPC64, int64(n.Value))
				list = append(list, []pushdown.Test{t})
			}
		}
	}
	return f.either(list), true
}

// either is one of some exclusive tests, or none of them.
func (f form) either(list ways) ways {
	if !f.negated {
		return list
	}
	none := ways{nil}
	for _, tests := range list {
		t := tests[0]
		t.Outside = !t.Outside
		none[0] = append(none[0], t)
	}
	return none
}

// The range of return values that are errors, which end with -1.
const firstErrno = -4095

func (f form) failure() (ways, bool) {
	failed := pushdown.Test{Field: pushdown.Return, Mask: allBits, Low: firstErrno, High: -1}
	returned := pushdown.Unfinished.Test(false)
	if f.op == isTruthy && f.negated {
		failed.Outside = true
		return ways{{failed}, {pushdown.Unfinished.Test(true)}}, true
	}
	if f.op == isTruthy || f.op == notEqual && !f.negated {
		return one(failed, returned), true
	}
	if f.op != equal || f.negated {
		return nil, false
	}
	var list ways
	for _, v := range f.values {
		for n := int64(firstErrno); n < 0; n++ {
			if v.text != "" && event.Errno(n) == v.text {
				failed.Low, failed.High = n, n
				list = append(list, []pushdown.Test{failed, returned})
			}
		}
	}
	return list, true
}

// listFacts are what has to be a fact for a list to have an element of which
// something is true.
var listFacts = map[string]pushdown.Fact{
	"memory[].changed":                pushdown.Differs,
	"memory[].differing[]":            pushdown.Differs,
	"memory[].mappings[].shared":      pushdown.MapsShared,
	"memory[].mappings[].userfaultfd": pushdown.MapsUserfaultfd,
	"memory[].mappings[].fileSystem":  pushdown.MapsFile,
	"memory[].mappings[].segment":     pushdown.MapsSegment,
	"overlaps":                        pushdown.Overlaps,
	"overlaps[].writes":               pushdown.Overlaps,
}

func (f form) list(fact pushdown.Fact) (ways, bool) {
	switch {
	case f.negated:
		return nil, false
	case fact == pushdown.MapsFile && f.isText("fuse"):
		fact = pushdown.MapsFuse
	case fact == pushdown.Differs && f.field == "memory[].changed", fact == pushdown.MapsShared, fact == pushdown.MapsUserfaultfd:
		return f.fact(fact), f.isTrue()
	}
	return f.fact(fact), true
}

// relations are the comparisons of two fields that matter.
var relations = []struct {
	field string
	op    comparison
	other string
	fact  pushdown.Fact
}{
	{"object.ownerUid", notEqual, "effectiveUserId", pushdown.OwnerDiffers},
	{"object.creatorUid", notEqual, "effectiveUserId", pushdown.CreatorDiffers},
	{"memory[].atEntry.sops[].sem_num", greaterOrEqual, "object.nsems", pushdown.BeyondSet},
}

func (f form) relation() (ways, bool) {
	for _, r := range relations {
		same := f.field == r.field && f.op == r.op && f.other == r.other
		mirrored := f.field == r.other && f.op == mirrored[r.op] && f.other == r.field
		if (same || mirrored) && !f.negated && f.mask == allBits {
			return f.fact(r.fact), true
		}
	}
	return nil, false
}
