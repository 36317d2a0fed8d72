package plan

import (
	"maps"
	"reflect"
	"slices"

	"github.com/open-policy-agent/opa/v1/ir"
)

// apart gives blocks that follow each other locals of their own. The planner numbers those
// of every rule from the same one on, and those of every else branch, which hides that most
// of them get their value once. Only locals that may have a value from elsewhere stay the
// same.
func apart(f *ir.Func) {
	separate(f, f.Blocks)
	walk(f.Blocks, func(s ir.Stmt) {
		if nested, ok := s.(*ir.BlockStmt); ok && len(nested.Blocks) > 1 {
			separate(f, nested.Blocks)
		}
	})
}

// separate does that for some blocks of a function.
func separate(f *ir.Func, blocks []*ir.Block) {
	outside := mentions(f.Blocks)
	for l, n := range mentions(blocks) {
		outside[l] -= n
	}
	for _, b := range blocks {
		for _, l := range doubtful([]*ir.Block{b}, f.Params, f.Return) {
			outside[l]++
		}
	}
	for _, l := range slices.Concat(f.Params, []ir.Local{f.Return}) {
		outside[l]++
	}
	last := slices.Max(slices.Collect(maps.Keys(outside)))
	for _, b := range blocks {
		own := map[ir.Local]ir.Local{}
		rename(reflect.ValueOf(b), func(l ir.Local) ir.Local {
			if outside[l] > 0 {
				return l
			}
			if _, ok := own[l]; !ok {
				last++
				own[l] = last
			}
			return own[l]
		})
	}
}

// mentions counts how often each local occurs.
func mentions(blocks []*ir.Block) map[ir.Local]int {
	found := map[ir.Local]int{}
	rename(reflect.ValueOf(blocks), func(l ir.Local) ir.Local {
		found[l]++
		return l
	})
	return found
}

// rename replaces the locals in a part of a plan.
func rename(v reflect.Value, name func(ir.Local) ir.Local) {
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			rename(v.Elem(), name)
		}
	case reflect.Interface:
		if l, ok := v.Interface().(ir.Local); ok {
			v.Set(reflect.ValueOf(name(l)))
		} else {
			rename(v.Elem(), name)
		}
	case reflect.Slice:
		for i := range v.Len() {
			rename(v.Index(i), name)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			rename(v.Field(i), name)
		}
	case reflect.Int:
		if v.Type() == reflect.TypeFor[ir.Local]() {
			v.SetInt(int64(name(ir.Local(v.Int()))))
		}
	}
}
