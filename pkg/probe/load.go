package probe

import (
	"errors"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/aquasecurity/libbpfgo"
	cilium "github.com/cilium/ebpf"
	"github.com/cilium/ebpf/asm"
	"github.com/cilium/ebpf/features"
	"golang.org/x/sys/unix"

	"github.com/ipcwarden/ipcwarden/pkg/event"
)

// program is a BPF program and a place to attach it to.
type program struct {
	name     string
	way      way
	function string // of the kernel; name of the tracepoint for atTracepoint
	prog     *libbpfgo.BPFProg
}

// way is how a program is attached.
type way uint8

const (
	atTracepoint way = iota // raw
	atPerfTracepoint
	byTrampoline
	atKprobe
	atKretprobe
)

// link is an attached program.
type link struct {
	program *program
	*libbpfgo.BPFLink
}

// tracepoint is the program at a raw tracepoint, which has its name.
func tracepoint(name string) *program {
	return &program{name: name, way: atTracepoint, function: name}
}

// preemptibleRaw is the first kernel whose raw system call tracepoints may run
// programs preemptibly, and then miss calls: 6.18 does not, 7.2 does.
var preemptibleRaw = [2]int{6, 19}

// findVMA tells whether BPF programs can have the kernel look up what is mapped.
// Where they cannot, the programs whose names begin with "old_" search by
// themselves.
func findVMA() bool {
	return features.HaveProgramHelper(cilium.RawTracepoint, asm.FnFindVma) == nil
}

// atEntry is the name of the program at the entry of calls that fits the kernel.
func atEntry(name string) string {
	if findVMA() {
		return name
	}
	return "old_" + name
}

// syscallTracepoints are the programs at the tracepoints of every system call.
func syscallTracepoints() (exit, entry *program, err error) {
	release, err := kernelRelease()
	if err != nil {
		return nil, nil, err
	}
	raw, err := olderThan(release, preemptibleRaw)
	if err != nil {
		return nil, nil, err
	}
	if !raw {
		_, absent := tracefsDir()
		raw = absent != nil
	}
	if raw {
		return tracepoint("sys_exit"), &program{name: atEntry("sys_enter"), way: atTracepoint, function: "sys_enter"}, nil
	}
	return &program{name: "perf_sys_exit", way: atPerfTracepoint, function: "sys_exit"},
		&program{name: "perf_sys_enter", way: atPerfTracepoint, function: "sys_enter"}, nil
}

// copyPrograms watch the functions that have the kernel's own copies.
var copyPrograms = []struct{ function, fentry, kprobe string }{
	{"ipcperms", "fentry_permission", "kprobe_permission"},
	{"ipcctl_obtain_check", "fentry_settings", "kprobe_settings"},
	{"security_msg_queue_msgsnd", "fentry_message", "kprobe_message"},
	{"security_sem_semop", "fentry_operations", "kprobe_operations"},
	{"security_shm_shmat", "fentry_security_shm_shmat", "kprobe_object"},
	{"security_msg_queue_msgctl", "fentry_security_msg_queue_msgctl", "kprobe_object"},
	{"security_sem_semctl", "fentry_security_sem_semctl", "kprobe_object"},
	{"security_shm_shmctl", "fentry_security_shm_shmctl", "kprobe_object"},
}

// programsFor lists what to attach, in order: an exit without its entry is
// harmless, an entry without its exit is not.
func (p *Probe) programsFor(hook Hook, plan *plan) (exits, entries []*program, err error) {
	exits = append(exits, tracepoint("sched_process_exit"))
	if hook == Tracepoint || len(plan.left) > 0 {
		exit, entry, err := syscallTracepoints()
		if err != nil {
			return nil, nil, err
		}
		exits, entries = append(exits, exit), append(entries, entry)
	}
	for _, function := range plan.functions {
		if hook == Fentry {
			exits = append(exits, &program{name: "leave" + function, way: byTrampoline, function: function})
			entries = append(entries, &program{name: "enter" + function, way: byTrampoline, function: function})
		} else {
			exits = append(exits, &program{name: "kprobe_leave", way: atKretprobe, function: function})
			entries = append(entries, &program{name: atEntry("kprobe_enter"), way: atKprobe, function: function})
		}
	}
	return exits, entries, nil
}

// copiesFor lists the programs that watch the kernel's own copies, and says what
// cannot be watched.
func (p *Probe) copiesFor() (copies []*program, err error) {
	hooks := []Hook{Fentry, Kprobe}
	if Unfit(Fentry) != nil {
		slices.Reverse(hooks)
	}
	for _, hook := range hooks {
		if err := p.works(hook); err != nil {
			p.attachment.Uncopied = append(p.attachment.Uncopied, fmt.Sprintf("%s: %v", hook, err))
			continue
		}
		p.attachment.Copy, p.attachment.Uncopied = hook, nil
		var names []string
		for _, c := range copyPrograms {
			names = append(names, c.function)
		}
		there, err := kernelFunctions(hook, names)
		if err != nil {
			return nil, err
		}
		for _, c := range copyPrograms {
			switch {
			case !there[c.function]:
				p.attachment.Uncopied = append(p.attachment.Uncopied, fmt.Sprintf("%s: %v", c.function, absent(hook)))
			case hook == Fentry:
				copies = append(copies, &program{name: c.fentry, way: byTrampoline, function: c.function})
			default:
				copies = append(copies, &program{name: c.kprobe, way: atKprobe, function: c.function})
			}
		}
		return copies, nil
	}
	return nil, nil
}

// load loads the programs that the hook needs and attaches them. The functions
// that cannot be attached to are a functionsError.
func (p *Probe) load(opts Options, hook Hook, plan *plan) (err error) {
	p.attachment.Hook, p.attachment.FellBack = hook, plan.reasons()
	p.attachment.Copy, p.attachment.Uncopied, p.attachment.Kmalloc = "", nil, false
	masks := plan.masks()
	if hook == Tracepoint {
		masks = [2]uint64{^uint64(0), ^uint64(0)}
	}
	exits, entries, err := p.programsFor(hook, plan)
	if err != nil {
		return err
	}
	copies, err := p.copiesFor()
	if err != nil {
		return err
	}
	if p.attachment.Copy == "" && (opts.Filter.Events | opts.MayWant).Has(event.Msgsnd) {
		copies = append(copies, tracepoint("kmalloc"))
		p.attachment.Kmalloc = true
	}
	var groups [][]string
	if hook == Fentry {
		if groups, err = groupByPrototype(plan.functions); err != nil {
			return err
		}
	}
	var complaint string
	if p.module, err = newModule(p.log, opts.verified, func(reason string) { complaint = "; " + reason }); err != nil {
		return err
	}
	if err := setConstants(p.module, opts, masks, p.attachment.Kmalloc); err != nil {
		return err
	}
	if err := choose(p.module, exits, copies, entries); err != nil {
		return err
	}
	if hook == Fentry {
		if err := chooseBodies(p.module, groups); err != nil {
			return err
		}
	}
	if err := p.module.BPFLoadObject(); err != nil {
		return fmt.Errorf("load BPF programs: %w%s", err, complaint)
	}
	if err := fillFilter(p.module, opts.Filter); err != nil {
		return err
	}
	if opts.Wanted != nil {
		if err := p.SetWanted(*opts.Wanted); err != nil {
			return err
		}
		if p.repeater, err = newRepeater(p.module, p.log); err != nil {
			return err
		}
	}
	if hook == Fentry {
		if err := fillTables(p.module, groups); err != nil {
			return err
		}
	}
	if p.counters, err = mapCounts(p.module); err != nil {
		return err
	}
	if p.ring, err = newRing(p.module); err != nil {
		return err
	}
	return p.attachAll(exits, copies, entries, opts.maxActive())
}

func (o *Options) maxActive() int {
	if o.MaxActive > 0 {
		return o.MaxActive
	}
	return min(kretprobesPerCPU*runtime.NumCPU(), MaxKretprobes)
}

// attachAll attaches in an order in which no call is entered whose exit would not
// be seen. What is missing of the kernel's copies is noted; all else is an error.
func (p *Probe) attachAll(exits, copies, entries []*program, maxActive int) error {
	failed := &functionsError{reasons: map[string]error{}}
	attach := func(programs []*program) error {
		for _, program := range programs {
			switch err := p.attachOne(program, maxActive); {
			case err == nil:
			case program.way == atTracepoint || program.way == atPerfTracepoint:
				return fmt.Errorf("attach to tracepoint %s: %w", program.function, err)
			default:
				failed.reasons[program.function] = err
			}
		}
		return nil
	}
	for _, copy := range copies {
		if err := p.attachOne(copy, 0); err != nil {
			p.attachment.Kmalloc = false // it is alone, if it is there
			p.attachment.Uncopied = append(p.attachment.Uncopied, fmt.Sprintf("%s: %v", copy.function, err))
		}
	}
	if err := attach(exits); err != nil {
		return err
	}
	if len(failed.reasons) == 0 {
		if err := attach(entries); err != nil {
			return err
		}
	}
	if len(failed.reasons) > 0 {
		return failed
	}
	p.entries = entries
	return nil
}

func (p *Probe) attachOne(program *program, maxActive int) (err error) {
	var l *libbpfgo.BPFLink
	switch program.way {
	case atTracepoint:
		l, err = program.prog.AttachRawTracepoint(program.function)
	case atPerfTracepoint:
		l, err = program.prog.AttachTracepoint("raw_syscalls", program.function)
	case byTrampoline:
		l, err = program.prog.AttachGeneric()
	default:
		l, err = p.attachKprobe(program, maxActive)
	}
	if err == nil {
		p.links = append(p.links, link{program, l})
	}
	return err
}

// probes counts the users of tracefs of this process, for the names of its probes.
var probes atomic.Uint64

func (p *Probe) attachKprobe(program *program, maxActive int) (*libbpfgo.BPFLink, error) {
	if p.tracefs == nil {
		fs, err := openTracefs(probes.Add(1))
		if err != nil {
			return nil, err
		}
		p.tracefs = fs
	}
	fd, err := p.tracefs.define(program.function, program.way == atKretprobe, maxActive)
	if err != nil {
		return nil, err
	}
	l, err := program.prog.AttachPerfEvent(fd) // which owns fd from then on
	if err != nil {
		_ = unix.Close(fd) // the error to report is the other
		return nil, err
	}
	return l, nil
}

// detachLinks detaches the last that was attached first. The kernel waits at each
// for those that run the program, so links of one kind go at the same time.
func (p *Probe) detachLinks() error {
	var errs []error
	for end := len(p.links); end > 0; {
		begin := end - 1
		for begin > 0 && p.links[begin-1].program.way == p.links[end-1].program.way {
			begin--
		}
		errs = append(errs, destroy(p.links[begin:end]))
		end = begin
	}
	p.links = nil
	return errors.Join(errs...)
}

func destroy(links []link) error {
	var wait sync.WaitGroup
	errs := make([]error, len(links))
	for i, l := range links {
		wait.Go(func() {
			if err := l.Destroy(); err != nil {
				errs[i] = fmt.Errorf("detach %s from %s: %w", l.program.name, l.program.function, err)
			}
		})
	}
	wait.Wait()
	return errors.Join(errs...)
}

// choose has the module load the given programs.
func choose(module *libbpfgo.Module, lists ...[]*program) error {
	for _, list := range lists {
		for _, program := range list {
			var err error
			if program.prog, err = module.GetProgram(program.name); err != nil {
				return fmt.Errorf("find BPF program %s: %w", program.name, err)
			}
			if err := program.prog.SetAutoload(true); err != nil {
				return fmt.Errorf("choose BPF program %s: %w", program.name, err)
			}
		}
	}
	return nil
}
