package signatures

import (
	"context"
	"math"
	"syscall"

	"github.com/ipcwarden/ipcwarden/pkg/detect"
	"github.com/ipcwarden/ipcwarden/pkg/event"
	"github.com/ipcwarden/ipcwarden/pkg/pushdown"
)

const (
	// maxValue is SEMVMX, the greatest value of a semaphore (include/uapi/linux/sem.h).
	maxValue = 32767

	// minOperations is how many it takes to contradict each other. To take more than
	// maxValue at once is impossible as well, but most calls have one operation: those
	// the kernel need not send.
	minOperations = 2

	// maxOperations bounds what is decided about: more than the default of SEMOPM, 500,
	// of which the probe captures no more.
	maxOperations = 512
)

// impossibleOperations finds calls of semop that no state of the semaphores lets
// through. The kernel performs the operations of a call in their order and all or none
// (ipc/sem.c: perform_atomic_semop_slow), so that each needs a value that those before
// it have left possible. In Rego there is no way to carry that along a list.
type impossibleOperations struct {
	metadata detect.Metadata
	needs    [2 * maxOperations]need // for Match to use, a hash table by number
}

func newImpossibleOperations() *impossibleOperations {
	return &impossibleOperations{metadata: detect.Metadata{
		ID:    "IPCW-030",
		Title: "Semaphore operations that can never be performed",
		Description: `A call of semop names operations that contradict each other: whatever the values
of the semaphores are, one of them cannot be performed after those before it, as
with the lock of semop(2) written in the wrong order, add one and then wait for
zero. Such a call waits for ever, together with all who wait for what its thread
holds, or always fails. It is a bug that hangs a service, and a way to park
threads in the kernel at will.
If the call succeeds all the same, the kernel has not taken the operations that
were there at entry: the process exchanged them in between, to show a monitor
others (CVE-2021-33505).`,
		Severity: detect.Medium,
		Events:   event.Of(event.Semop, event.Semtimedop),
		Attack:   []string{"T1499", "T1562.006"},
		References: []string{
			"https://man7.org/linux/man-pages/man2/semop.2.html",
			"https://cwe.mitre.org/data/definitions/833.html",
			"https://nvd.nist.gov/vuln/detail/CVE-2021-33505",
		},
		FalsePositives: []string{
			"Programs that wait on purpose for what cannot happen, until a timeout or the removal of the set; one operation on a semaphore of its own does that better.",
			"Kernel tests such as LTP and syzkaller try impossible operations; suppress them on test hosts.",
		},
		Tags:   []string{"CWE-833", "CWE-367"},
		Source: Prefix + "impossible_operations.go",
	}}
}

// Metadata says what the signature finds.
func (s *impossibleOperations) Metadata() *detect.Metadata { return &s.metadata }

// Wanted is what the kernel can tell of the calls that Match can find something in.
func (s *impossibleOperations) Wanted() pushdown.Set {
	const nsops = 2 // its place among the arguments of both calls
	several := pushdown.Test{Field: nsops, Kind: pushdown.Unsigned, Mask: math.MaxUint64, Low: minOperations, High: maxOperations}
	return pushdown.Set{Clauses: []pushdown.Clause{{Events: s.metadata.Events, Tests: []pushdown.Test{several}}}}
}

// Match decides where all operations of a call are known that the kernel has tried.
func (s *impossibleOperations) Match(_ context.Context, in *detect.Input, found []detect.Finding) ([]detect.Finding, error) {
	e := in.Event()
	if !tried(e) {
		return found, nil
	}
	operations := allOperations(e)
	at := s.firstImpossible(operations)
	if at < 0 {
		return found, nil
	}
	return append(found, detect.Finding{Evidence: map[string]any{
		"semaphore":  event.DecodeSembuf(operations[at*event.SembufSize:]).Number,
		"operation":  at,
		"operations": shown(operations, at),
		"outcome":    outcome(e),
		"durationNs": e.DurationNS,
	}}), nil
}

// tried tells whether the kernel has come as far as to try the operations. Other
// errors come before.
func tried(e *event.Event) bool {
	if e.Unfinished || !e.Failed() {
		return true
	}
	switch errno := syscall.Errno(-e.Return); errno {
	case syscall.EAGAIN, syscall.EINTR, syscall.ERANGE, syscall.EIDRM:
		return true
	default:
		return errno >= 512 // the kernel's codes for a call that a signal interrupted
	}
}

// allOperations is the kernel's copy of the operations, or else what was in memory at
// entry; nothing if neither is whole.
func allOperations(e *event.Event) []byte {
	m := &e.Memory[event.MainMemory]
	if m.Pointee != event.Sembufs {
		return nil
	}
	for _, view := range []*event.View{&m.Kernel, &m.Entry} {
		if view.State == event.Whole && uint64(len(view.Bytes)) == m.Length {
			return view.Bytes
		}
	}
	return nil
}

// need is what the operations so far demand of one semaphore.
type need struct {
	used     bool
	number   uint16
	sum      int32 // of what they have added
	low, top int32 // the values before the call that let them through
}

// add adds an operation, and tells whether any value is left.
func (n *need) add(op int16) bool {
	n.sum += int32(op)
	if op <= 0 { // the result must not be negative
		n.low = max(n.low, -n.sum)
	}
	if op == 0 { // waits for zero
		n.top = min(n.top, -n.sum)
	}
	if op > 0 {
		n.top = min(n.top, maxValue-n.sum)
	}
	return n.low <= n.top
}

// firstImpossible is the place of the first operation that cannot be performed after
// those before it, or -1.
func (s *impossibleOperations) firstImpossible(operations []byte) int {
	n := len(operations) / event.SembufSize
	if n < minOperations || n > maxOperations {
		return -1
	}
	size := 2
	for size < 2*n {
		size *= 2
	}
	table := s.needs[:size]
	clear(table)
	for at := range n {
		op := event.DecodeSembuf(operations[at*event.SembufSize:])
		i := int(op.Number) & (size - 1)
		for table[i].used && table[i].number != op.Number {
			i = (i + 1) & (size - 1)
		}
		if !table[i].used {
			table[i] = need{used: true, number: op.Number, top: maxValue}
		}
		if !table[i].add(op.Op) {
			return at
		}
	}
	return -1
}

// maxShown is the length of the longest list in evidence.
const maxShown = 16

// shown lists the operations up to the one that is impossible, the last ones if there
// are many.
func shown(operations []byte, at int) []map[string]any {
	list := make([]map[string]any, 0, maxShown)
	first := max(0, at+1-maxShown)
	for op := range event.EachSembuf(operations[first*event.SembufSize : (at+1)*event.SembufSize]) {
		list = append(list, map[string]any{
			"sem_num": op.Number, "sem_op": op.Op, "flags": event.SembufFlags.Flags([]string{}, uint32(uint16(op.Flags))),
		})
	}
	return list
}

func outcome(e *event.Event) string {
	switch {
	case e.Unfinished:
		return "unfinished"
	case e.Failed():
		return event.Errno(e.Return)
	default:
		return "ok"
	}
}
