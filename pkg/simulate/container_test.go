package simulate

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ipcwarden/ipcwarden/pkg/enrich"
)

func TestHierarchies(t *testing.T) {
	const list = "4:cpu,cpuacct:/a:b\n1:name=systemd:/init.scope\nrubbish\n0::/c d\n"
	want := []hierarchy{{"cgroup2", "", "/c d"}, {"cgroup", "cpu,cpuacct", "/a:b"}, {"cgroup", "name=systemd", "/init.scope"}}
	if got := hierarchies(list); !slices.Equal(got, want) {
		t.Errorf("hierarchies %+v, want %+v", got, want)
	}
}

// needCgroups returns those of this process, of which lines have to have a text.
func needCgroups(t *testing.T, text string) (lines []string) {
	t.Helper()
	list, err := os.ReadFile(ownCgroups)
	if err != nil {
		t.Fatal(err)
	}
	if enrich.ContainerOf(string(list)) != "" {
		t.Skip("this is a container")
	}
	for line := range strings.Lines(string(list)) {
		if strings.Contains(line, text) {
			lines = append(lines, line)
		}
	}
	if len(lines) == 0 {
		t.Skipf("no cgroups have %s here", text)
	}
	return lines
}

// TestContainerVersion1 is on a machine that has no cgroups of version 2.
func TestContainerVersion1(t *testing.T) {
	s := newStage(t)
	lines := needCgroups(t, ":name=systemd:")
	file := filepath.Join(t.TempDir(), "cgroup")
	if err := os.WriteFile(file, []byte("3:nonesuch:/\n"+strings.Join(lines, "")), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv(cgroupsVariable, file)
	p, err := s.Perform(t.Context(), Find("IPCW-041"), Direct)
	if err != nil || p.Outcome != Done {
		t.Errorf("%+v, %v", p, err)
	}
}

// TestKilledContainer kills who has a container simulated, while there is one. Of the
// cgroup nothing may be left.
func TestKilledContainer(t *testing.T) {
	newStage(t)
	needCgroups(t, "0::")
	stage := exec.Command("/proc/self/exe", performArgument, "IPCW-041")
	if err := stage.Start(); err != nil {
		t.Fatal(err)
	}
	defer stage.Wait()
	defer stage.Process.Kill()
	actor := awaitChild(t, stage.Process.Pid, runsWith(actArgument))
	var contained string // the path of the cgroup
	awaitChild(t, actor, func(pid int) bool {
		list, _ := os.ReadFile(fmt.Sprintf("/proc/%d/cgroup", pid))
		if enrich.ContainerOf(string(list)) == "" {
			return false
		}
		contained = hierarchies(string(list))[0].path
		return true
	})
	// The janitor is in the actor's mount namespace, where the cgroups are to be seen.
	janitor := awaitChild(t, actor, runsWith(string(Janitor)))
	root, err := os.Open(fmt.Sprintf("/proc/%d/root/tmp", janitor))
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	dir := fmt.Sprintf("/proc/self/fd/%d%s", root.Fd(), contained)
	if _, err := os.Stat(dir); err != nil {
		t.Fatal(err)
	}
	if err := stage.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	for until := time.Now().Add(patience); ; time.Sleep(time.Millisecond) {
		if _, err := os.Stat(dir); errors.Is(err, fs.ErrNotExist) {
			return
		}
		if time.Now().After(until) {
			t.Fatalf("%s is left", contained)
		}
	}
}
