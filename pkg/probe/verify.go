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
