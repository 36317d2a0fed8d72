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

	flags     plan.Value // undefined until somebody asks
	flagList  plan.List
	flagNames []string
	flagVals  []plan.Value

	evaluator plan.Evaluator
	addresses [1 << addressBits]address
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
	v.document, v.parsed, v.flags = plan.Value{}, nil, plan.Value{}
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

// symbolicFlags are Document.Flags.
func (v *view) symbolicFlags() plan.Value {
	if v.flags.Defined() {
		return v.flags
	}
	v.flagNames, v.flagVals = v.event.Flags(v.flagNames[:0]), v.flagVals[:0]
	for _, name := range v.flagNames {
		v.flagVals = append(v.flagVals, plan.String(name))
	}
	v.flags = v.flagList.Set(v.flagVals)
	return v.flags
}

// addressBits is the binary logarithm of the number of addresses whose text is
// remembered: calls in a loop have the same ones.
const addressBits = 6

// address is a pointer with its text.
type address struct {
	pointer uint64
	text    string
}

// addressText is a pointer as documents write it. It allocates only for one that
// is not remembered.
func (v *view) addressText(pointer uint64) plan.Value {
	a := &v.addresses[pointer*0x9e3779b97f4a7c15>>(64-addressBits)]
	if a.text == "" || a.pointer != pointer {
		*a = address{pointer, "0x" + strconv.FormatUint(pointer, 16)}
	}
	return plan.String(a.text)
}
