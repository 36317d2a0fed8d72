package probe

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Hook is where the programs are attached.
type Hook string

// The hooks. Auto is the first of the others that attaches completely, in the
// order of what they cost a host (see docs/architecture.md).
const (
	Auto       Hook = "auto"
	Fentry     Hook = "fentry"     // entry functions of the calls, by BPF trampolines
	Kprobe     Hook = "kprobe"     // entry functions of the calls, by kprobes and kretprobes
	Tracepoint Hook = "tracepoint" // the raw tracepoints that every system call passes
)

// Hooks lists the hooks in the order in which Auto tries them.
func Hooks() []Hook { return []Hook{Fentry, Kprobe, Tracepoint} }

// UnmarshalText takes the name of a hook.
func (h *Hook) UnmarshalText(text []byte) error {
	if !slices.Contains(append(Hooks(), Auto), Hook(text)) {
		return fmt.Errorf("unknown hook %q: want auto, fentry, kprobe or tracepoint", text)
	}
	*h = Hook(text)
	return nil
}

// MarshalText gives the name.
func (h Hook) MarshalText() ([]byte, error) { return []byte(h), nil }

// Attachment says where a probe is attached, and why there.
type Attachment struct {
	Hook Hook
	// Rejected has the hooks that Auto tried before, each with what was wrong.
	Rejected []Rejection
	// FellBack has the calls that the hook could not take, each with the reason:
	// they are watched by tracepoints.
	FellBack []string
	// Copy is the hook by which the kernel's own copies are watched, empty where
	// there is none.
	Copy Hook
	// Kmalloc tells that the kernel's copies of messages are found, in place of all
	// copies, by the tracepoint of its allocations.
	Kmalloc bool
	// Uncopied says what of the kernel's own copies cannot be watched, and why.
	Uncopied []string
}

// Rejection is a hook that does not attach.
type Rejection struct {
	Hook Hook
	Err  error
}

// Why says in one line why the hook was taken.
func (a *Attachment) Why() string {
	var why string
	switch a.Hook {
	case Fentry:
		why = "trampolines at the entry functions cost a call least, and other calls nothing"
	case Kprobe:
		why = "probes at the entry functions miss no call and cost other calls nothing"
	default:
		why = "raw tracepoints attach everywhere, at a small cost to every system call"
	}
	for _, r := range a.Rejected {
		why += fmt.Sprintf("; not %s: %v", r.Hook, r.Err)
	}
	return why
}

// Unfit says why Auto passes over a hook although it may attach.
func Unfit(hook Hook) error {
	if hook == Fentry && preempts() {
		return errors.New("this kernel preempts programs at functions, and then leaves out the calls that others make on that CPU (see docs/architecture.md)")
	}
	return nil
}

// attach loads and attaches the programs of the hook that is asked for.
func (p *Probe) attach(opts Options) error {
	if opts.Hook != Auto && opts.Hook != "" {
		return p.attachAs(opts, opts.Hook, true)
	}
	var errs []error
	for _, hook := range Hooks() {
		err := Unfit(hook)
		if err == nil {
			err = p.attachAs(opts, hook, false)
		}
		if err == nil {
			return nil
		}
		err = errors.Join(err, p.release())
		p.attachment.Rejected = append(p.attachment.Rejected, Rejection{hook, err})
		errs = append(errs, fmt.Errorf("hook %s: %w", hook, err))
	}
	return errors.Join(errs...)
}

// attachAs attaches the programs of one hook. If partial, the calls that it cannot
// take are left to tracepoints; else they are an error.
func (p *Probe) attachAs(opts Options, hook Hook, partial bool) error {
	if hook == Tracepoint {
		return p.load(opts, hook, &plan{})
	}
	if err := p.works(hook); err != nil {
		return err
	}
	plan, err := p.planFor(hook, opts.unattachable)
	if err != nil {
		return err
	}
	for {
		if len(plan.left) > 0 && !partial {
			return fmt.Errorf("incomplete: %s", strings.Join(plan.reasons(), "; "))
		}
		if len(plan.functions) == 0 {
			return fmt.Errorf("nothing to attach to: %s", strings.Join(plan.reasons(), "; "))
		}
		err := p.load(opts, hook, plan)
		var failed *functionsError
		if !errors.As(err, &failed) {
			return err
		}
		// Once more without those, for what the programs have to do is fixed when
		// they are loaded.
		if err := p.release(); err != nil {
			return err
		}
		for name, err := range failed.reasons {
			plan.leave(name, err)
		}
	}
}

// functionsError says which functions a hook does not attach to.
type functionsError struct{ reasons map[string]error }

func (e *functionsError) Error() string {
	return fmt.Sprintf("%d functions cannot be attached to", len(e.reasons))
}
