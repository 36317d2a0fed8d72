package regosig

import (
	"strconv"

	"github.com/open-policy-agent/opa/v1/ast"

	"github.com/ipcwarden/ipcwarden/pkg/detect"
	"github.com/ipcwarden/ipcwarden/pkg/event"
	"github.com/ipcwarden/ipcwarden/pkg/regosig/plan"
)

// view is one event as plans read it, and what was made of it for one signature
// and may serve the next. It is kept from event to event for its memory.
type view struct {
	in    *detect.Input
	event *event.Event
	// interpreted makes topdown evaluate what is planned, for tests.
	interpreted bool

	document plan.Value // undefined until somebody asks for the whole
	parsed   ast.Value  // the same for topdown

	regions  [event.MaxMemory]*event.Memory // those that the document lists
	nregions int
	parts    parts

	callError plan.Value

	evaluator plan.Evaluator
	evidence  evidence
	findings  []evidence // of a signature that has many
	flags     [1 << flagBits]flags
	addresses [1 << addressBits][2]address
	long      longNumber
}

// viewOf is the view of the input's event.
func viewOf(in *detect.Input) *view {
	kept, fresh := in.Kept(newView)
	v := kept.(*view)
	if fresh {
		v.reset(in)
	}
	return v
}

func newView() any { return new(view) }

func (v *view) reset(in *detect.Input) {
	v.in, v.event = in, in.Event()
	v.document, v.parsed = plan.Value{}, nil
	v.callError = plan.Value{}
	if !v.event.Unfinished {
		v.callError = unlessEmpty(event.Errno(v.event.Return))
	}
	v.nregions = 0
	for i := range v.event.Memory {
		if m := &v.event.Memory[i]; m.Arg != "" {
			v.regions[v.nregions] = m
			v.nregions++
		}
	}
	if v.parts.used {
		v.parts = parts{}
	}
}

// whole is the document as a value.
func (v *view) whole() plan.Value {
	if !v.document.Defined() {
		v.document = convertDocument(v.in.Document())
	}
	return v.document
}

// term is the document as topdown takes it.
func (v *view) term() ast.Value {
	if v.parsed == nil {
		v.parsed = v.whole().AST()
	}
	return v.parsed
}

// flagBits is the binary logarithm of the number of sets of flags whose names are
// remembered.
const flagBits = 5

// flags are bits with the array of their names.
type flags struct {
	set   event.Decoder
	bits  uint32
	names plan.Value
}

// symbolicFlags are Document.Flags. It allocates only for bits that are not remembered.
func (v *view) symbolicFlags() plan.Value {
	set, bits := v.event.FlagBits()
	f := &v.flags[(uint64(bits)<<8|uint64(set))*hashFactor>>(64-flagBits)]
	if !f.names.Defined() || f.set != set || f.bits != bits {
		*f = flags{set, bits, namesOf(set, bits)}
	}
	return f.names
}

// namesOf is the array of the flags' names.
func namesOf(set event.Decoder, bits uint32) plan.Value {
	names := []plan.Value{}
	for _, name := range set.Flags(nil, bits) {
		names = append(names, plan.String(name))
	}
	return plan.Array(names)
}

// hashFactor spreads numbers over the upper bits of their products with it.
const hashFactor = 0x9e3779b97f4a7c15

// addressBits is the binary logarithm of half the number of addresses whose text is
// remembered: calls in a loop have the same ones.
const addressBits = 7

// address is a pointer with its text.
type address struct {
	pointer uint64
	text    string
}

func (a *address) is(pointer uint64) bool { return a.pointer == pointer && a.text != "" }

// addressText is a pointer as documents write it. It allocates only for one that
// is not remembered.
func (v *view) addressText(pointer uint64) plan.Value {
	a := &v.addresses[pointer*hashFactor>>(64-addressBits)]
	if !a[0].is(pointer) {
		if a[0], a[1] = a[1], a[0]; !a[0].is(pointer) {
			a[0] = address{pointer, "0x" + strconv.FormatUint(pointer, 16)}
		}
	}
	return plan.String(a[0].text)
}

// longNumber is a number that is no int64, with its value.
type longNumber struct {
	number uint64
	value  plan.Value
}

// number is plan.Uint. It allocates only for one that is no int64 and was not the last
// such number: a length of -1 comes again and again.
func (v *view) number(n uint64) plan.Value {
	if int64(n) >= 0 {
		return plan.Int(int64(n))
	}
	if v.long.number != n {
		v.long = longNumber{n, plan.Uint(n)}
	}
	return v.long.value
}
