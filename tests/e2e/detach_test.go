package e2e

import (
	"errors"
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/cilium/ebpf"
)

// TestNothingStaysAttached ends ipcwarden in every way, and wants no program of it
// in the kernel afterwards, nor a probe but after SIGKILL; and no such probe either
// once it has run again.
func TestNothingStaysAttached(t *testing.T) {
	requireBPF(t)
	before := programs(t)
	for _, end := range []struct {
		name string
		by   func(w *warden)
	}{
		{"SIGKILL", func(w *warden) {
			if err := w.cmd.Process.Kill(); err != nil {
				t.Fatal(err)
			}
			<-w.exited
		}},
		{"timeout", func(w *warden) { w.wait() }},
		{"SIGTERM", func(w *warden) { w.stopBy(syscall.SIGTERM) }},
	} {
		t.Run(end.name, func(t *testing.T) {
			w := trace(t, "--timeout", map[bool]string{true: "1s", false: "1h"}[end.name == "timeout"])
			if end.name != "timeout" && len(left(programs(t), before)) < 3 {
				t.Error("fewer than 3 programs while it runs: this test sees nothing")
			}
			end.by(w)
			// The kernel frees programs in the background.
			var still []string
			for deadline := time.Now().Add(limit); time.Now().Before(deadline); time.Sleep(100 * time.Millisecond) {
				if still = left(programs(t), before); len(still) == 0 {
					break
				}
			}
			if len(still) > 0 {
				t.Errorf("still in the kernel: %v", still)
			}
			if probes := kprobes(t); len(probes) > 0 && end.name != "SIGKILL" {
				t.Errorf("still defined: %v", probes)
			}
		})
	}
}

// programs names every BPF program of the kernel by its id, as bpftool prog does.
func programs(t *testing.T) map[ebpf.ProgramID]string {
	t.Helper()
	all := map[ebpf.ProgramID]string{}
	for id := ebpf.ProgramID(0); ; {
		next, err := ebpf.ProgramGetNextID(id)
		if errors.Is(err, os.ErrNotExist) {
			return all
		}
		if err != nil {
			t.Fatal(err)
		}
		id = next
		program, err := ebpf.NewProgramFromID(id)
		if errors.Is(err, os.ErrNotExist) {
			continue // freed meanwhile
		}
		if err != nil {
			t.Fatal(err)
		}
		info, err := program.Info()
		if err != nil {
			t.Fatal(err)
		}
		all[id] = info.Name
		program.Close()
	}
}

func left(now, before map[ebpf.ProgramID]string) (names []string) {
	for id, name := range now {
		if _, was := before[id]; !was {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// kprobes lists the probes of ipcwarden that are defined.
func kprobes(t *testing.T) (all []string) {
	t.Helper()
	b, err := os.ReadFile("/sys/kernel/tracing/kprobe_events")
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(b)) {
		if strings.Contains(line, "ipcwarden") {
			all = append(all, strings.TrimSpace(line))
		}
	}
	return all
}
