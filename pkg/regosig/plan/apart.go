package plan

import (
	"reflect"

	"github.com/open-policy-agent/opa/v1/ir"
)

// apart gives each block of a function locals of its own. The planner numbers those of
// every rule from the same one on, which hides that most of them get their value once. Only
// locals that may have a value from another block stay the same.
func apart(f *ir.Func) {
	shared := map[ir.Local]bool{f.Return: true}
	for _, p := range f.Params {
		shared[p] = true
	}
	last := f.Return
	for _, b := range f.Blocks {
		for _, l := range doubtful([]*ir.Block{b}, f.Params, f.Return) {
			shared[l] = true
		}
		rename(reflect.ValueOf(b), func(l ir.Local) ir.Local {
			last = max(last, l)
			return l
		})
	}
	for _, b := range f.Blocks {
		own := map[ir.Local]ir.Local{}
		rename(reflect.ValueOf(b), func(l ir.Local) ir.Local {
			if shared[l] {
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
