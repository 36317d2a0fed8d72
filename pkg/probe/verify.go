package probe

import (
	"regexp"
	"slices"
	"strings"

	"go.uber.org/zap"

	"github.com/ipcwarden/ipcwarden/pkg/event"
	"github.com/ipcwarden/ipcwarden/pkg/pushdown"
)

// Program is a BPF program as the verifier of the running kernel saw it.
type Program struct {
	Name string `json:"program"`
	// Instructions is how many the verifier went through on all paths together;
	// it gives up at a million (kernel/bpf/verifier.c).
	Instructions int `json:"instructions"`
}

// verifierStatistics asks for them alone (include/linux/bpf_verifier.h: BPF_LOG_STATS).
const verifierStatistics = 4

// verifierLog is how libbpf hands on what the verifier said of a program.
var verifierLog = regexp.MustCompile(`(?s)^libbpf: prog '([^']+)': -- BEGIN PROG LOAD LOG --.*processed (\d+) insns`)

// refusal is how libbpf hands on why the verifier refuses a program.
var refusal = regexp.MustCompile(`(?s)^libbpf: prog '([^']+)': -- BEGIN PROG LOAD LOG --\n(.*?)\n(?:processed \d+ insns|-- END)`)

// refused returns the program that the verifier refuses by a text of libbpf, and the
// last that it said of it; "" if it does not refuse any.
func refused(text string) string {
	m := refusal.FindStringSubmatch(text)
	if m == nil {
		return ""
	}
	lines := strings.Split(strings.TrimSpace(m[2]), "\n")
	return m[1] + ": " + lines[len(lines)-1]
}

// Programs attaches the probe by a hook, and lists the programs that were loaded
// for it, by name.
func Programs(hook Hook) ([]Program, error) {
	var all []Program
	p, err := Open(Options{
		Filter: Filter{Events: event.All}, SnapshotBytes: MaxSnapshotBytes, DigestBytes: MaxDigestBytes,
		Hook: hook, Log: zap.NewNop(), Wanted: &pushdown.Set{},
		verified: func(program Program) { all = append(all, program) },
	})
	if err != nil {
		return nil, err
	}
	slices.SortFunc(all, func(a, b Program) int { return strings.Compare(a.Name, b.Name) })
	return all, p.Close()
}
