package probe

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"runtime"
	"slices"
	"strings"

	"github.com/cilium/ebpf/btf"

	"github.com/ipcwarden/ipcwarden/pkg/event"
)

// plan is which calls a hook watches at their entry functions, and which are left
// to the tracepoints.
type plan struct {
	abis      [2]event.ABI // native, 32-bit
	functions []string     // to attach to
	unserved  [2]bool      // the kernel has no such callers
	left      []leftCall
}

type leftCall struct {
	abi    int // index into plan.abis
	id     event.ID
	reason string
}

// served returns the ABIs that a kernel of this architecture serves.
func served() [2]event.ABI {
	if runtime.GOARCH == "arm64" {
		return [2]event.ABI{event.ARM64, event.ARM}
	}
	return [2]event.ABI{event.AMD64, event.I386}
}

// compatPrefix begins the name of every entry function for 32-bit callers only.
func compatPrefix() string {
	if runtime.GOARCH == "arm64" {
		return "__arm64_compat_sys_"
	}
	return "__ia32_"
}

// planFor finds out which entry functions the kernel has. Those in unattachable
// are passed over.
func (p *Probe) planFor(hook Hook, unattachable []string) (*plan, error) {
	plan := &plan{abis: served()}
	plan.functions = event.Functions(plan.abis[:]...)
	there, err := kernelFunctions(hook, plan.functions)
	if err != nil {
		return nil, err
	}
	if plan.unserved[1], err = lacksCompat(there); err != nil {
		return nil, err
	}
	for _, name := range slices.Clone(plan.functions) {
		switch {
		case slices.Contains(unattachable, name):
			plan.leave(name, errors.New("not to be attached to"))
		case !there[name]:
			plan.leave(name, absent(hook))
		}
	}
	return plan, nil
}

// leave takes a function out of the plan. The calls that have no other entry
// function are left to the tracepoints, whatever else they are reached by.
func (p *plan) leave(function string, reason error) {
	p.functions = slices.DeleteFunc(p.functions, func(name string) bool { return name == function })
	for abi := range p.abis {
		if p.unserved[abi] {
			continue
		}
		for _, row := range event.Rows() {
			for _, entry := range row.Entries {
				if entry.ABI != p.abis[abi] || !slices.Contains(entry.Functions, function) || p.has(entry.Functions) ||
					p.isLeft(abi, row.ID) {
					continue
				}
				p.left = append(p.left, leftCall{abi, row.ID, fmt.Sprintf("%s %s: %s: %v", entry.ABI, entry.Name, entry.Functions[0], reason)})
			}
		}
	}
}

func (p *plan) has(any []string) bool {
	return slices.ContainsFunc(any, func(name string) bool { return slices.Contains(p.functions, name) })
}

func (p *plan) isLeft(abi int, id event.ID) bool {
	return slices.ContainsFunc(p.left, func(l leftCall) bool { return l.abi == abi && l.id == id })
}

// masks are tracepoint_events of ebpf/maps.h.
func (p *plan) masks() (masks [2]uint64) {
	for _, l := range p.left {
		masks[l.abi] |= 1 << l.id
	}
	return masks
}

func (p *plan) reasons() (all []string) {
	for _, l := range p.left {
		all = append(all, l.reason)
	}
	return all
}

func absent(hook Hook) error {
	if hook == Fentry {
		return errors.New("not in the kernel's type information")
	}
	return errors.New("the kernel has no such function")
}

// lacksCompat tells whether the kernel serves no 32-bit callers: it has none of
// their entry functions, under whatever name of call.
func lacksCompat(there map[string]bool) (bool, error) {
	for name, is := range there {
		if is && strings.HasPrefix(name, compatPrefix()) {
			return false, nil
		}
	}
	lacks := true
	err := eachSymbol(func(name string) { lacks = lacks && !strings.HasPrefix(name, compatPrefix()) })
	return lacks, err
}

// kernelFunctions tells which of names a hook can find in the kernel.
func kernelFunctions(hook Hook, names []string) (map[string]bool, error) {
	there := map[string]bool{}
	if hook == Kprobe {
		wanted := map[string]bool{}
		for _, name := range names {
			wanted[name] = true
		}
		err := eachSymbol(func(name string) {
			if wanted[name] {
				there[name] = true
			}
		})
		return there, err
	}
	spec, err := btf.LoadKernelSpec() // has the functions that a trampoline can be put to
	if err != nil {
		return nil, fmt.Errorf("read the kernel's type information: %w", err)
	}
	for _, name := range names {
		function, err := typedFunction(spec, name)
		if err != nil {
			return nil, err
		}
		there[name] = function != nil
	}
	return there, nil
}

// eachSymbol names every symbol of the kernel.
func eachSymbol(each func(name string)) error {
	file, err := os.Open("/proc/kallsyms")
	if err != nil {
		return fmt.Errorf("list the kernel's symbols: %w", err)
	}
	defer file.Close()
	lines := bufio.NewScanner(file)
	for lines.Scan() {
		// "address type name", and "[module]" for one that is not the kernel's own.
		_, line, _ := strings.Cut(lines.Text(), " ")
		_, name, _ := strings.Cut(line, " ")
		each(name)
	}
	if err := lines.Err(); err != nil {
		return fmt.Errorf("list the kernel's symbols: %w", err)
	}
	return nil
}
