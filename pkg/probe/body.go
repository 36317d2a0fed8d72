package probe

import (
	"errors"
	"fmt"
	"unsafe"

	"github.com/aquasecurity/libbpfgo"
	"github.com/cilium/ebpf/btf"
)

// bodyCopies is how many copies of the bodies ebpf/hook_fentry.h has.
const bodyCopies = 3

// groupByPrototype sorts functions by their prototype in the kernel's type
// information. Those for which there is no body are a functionsError.
func groupByPrototype(functions []string) ([][]string, error) {
	spec, err := btf.LoadKernelSpec()
	if err != nil {
		return nil, fmt.Errorf("read the kernel's type information: %w", err)
	}
	var groups [][]string
	groupOf := map[btf.TypeID]int{}
	tooMany := &functionsError{reasons: map[string]error{}}
	for _, name := range functions {
		function, err := typedFunction(spec, name)
		if err != nil {
			return nil, err
		}
		prototype, err := spec.TypeID(function.Type)
		if err != nil {
			return nil, fmt.Errorf("prototype of %s: %w", name, err)
		}
		group, known := groupOf[prototype]
		if !known {
			group = len(groups)
			if group == bodyCopies {
				tooMany.reasons[name] = fmt.Errorf("has a prototype beyond the first %d", bodyCopies)
				continue
			}
			groupOf[prototype], groups = group, append(groups, nil)
		}
		groups[group] = append(groups[group], name)
	}
	if len(tooMany.reasons) > 0 {
		return nil, tooMany
	}
	return groups, nil
}

// typedFunction is the function that libbpf attaches to by name: the first of it.
// It is nil if there is none.
func typedFunction(spec *btf.Spec, name string) (*btf.Func, error) {
	types, err := spec.AnyTypesByName(name) // some functions are there twice
	if err != nil && !errors.Is(err, btf.ErrNotFound) {
		return nil, fmt.Errorf("look for %s in the kernel's type information: %w", name, err)
	}
	for _, t := range types {
		if function, ok := t.(*btf.Func); ok {
			return function, nil
		}
	}
	return nil, nil
}

// eachBody calls do for the bodies of every group.
func eachBody(module *libbpfgo.Module, groups [][]string, do func(body *libbpfgo.BPFProg, end string, functions []string) error) error {
	for i, functions := range groups {
		for _, end := range []string{"enter", "leave"} {
			name := fmt.Sprintf("%s_body%d", end, i)
			if end == "enter" {
				name = atEntry(name)
			}
			body, err := module.GetProgram(name)
			if err != nil {
				return fmt.Errorf("find BPF program %s: %w", name, err)
			}
			if err := do(body, end, functions); err != nil {
				return fmt.Errorf("BPF program %s: %w", name, err)
			}
		}
	}
	return nil
}

// chooseBodies has a body loaded for each group, as if for its first function: it
// is not attached, but has to have the prototype.
func chooseBodies(module *libbpfgo.Module, groups [][]string) error {
	return eachBody(module, groups, func(body *libbpfgo.BPFProg, _ string, functions []string) error {
		return errors.Join(body.SetAttachTarget(0, functions[0]), body.SetAutoload(true))
	})
}

// fillTables has the programs at the entry functions find their bodies.
func fillTables(module *libbpfgo.Module, groups [][]string) error {
	return eachBody(module, groups, func(body *libbpfgo.BPFProg, end string, functions []string) error {
		index, fd := uint32(0), uint32(body.FileDescriptor())
		for _, function := range functions {
			table, err := module.GetMap(end + "_table" + function)
			if err != nil {
				return fmt.Errorf("find the table of %s: %w", function, err)
			}
			if err := table.Update(unsafe.Pointer(&index), unsafe.Pointer(&fd)); err != nil {
				return fmt.Errorf("fill the table of %s: %w", function, err)
			}
		}
		return nil
	})
}
