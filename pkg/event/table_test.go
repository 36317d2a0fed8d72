package event

import (
	"bufio"
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// headers has where the C library's headers give the numbers of each ABI.
var headers = []struct {
	abi   ABI
	globs []string
}{
	{AMD64, []string{"/usr/include/asm/unistd_64.h", "/usr/include/*/asm/unistd_64.h"}},
	{I386, []string{"/usr/include/asm/unistd_32.h", "/usr/include/*/asm/unistd_32.h"}},
	{ARM64, []string{"/usr/include/asm-generic/unistd.h"}},
	{ARM, []string{"/usr/arm-linux-gnueabihf/include/asm/unistd-common.h", "/usr/include/arm-linux-gnueabihf/asm/unistd-common.h"}},
}

var define = regexp.MustCompile(`^#define\s+__NR_(\w+)\s+(?:\(\w+\s*\+\s*)?(\d+)\)?`)

func TestNumbersAgreeWithHeaders(t *testing.T) {
	for _, h := range headers {
		t.Run(h.abi.String(), func(t *testing.T) {
			var files []string
			for _, glob := range h.globs {
				found, err := filepath.Glob(glob)
				if err != nil {
					t.Fatal(err)
				}
				files = append(files, found...)
			}
			if len(files) == 0 {
				t.Skipf("no header with the numbers of %s here: %s", h.abi, strings.Join(h.globs, ", "))
			}
			numbers := headerNumbers(t, files[0])
			for _, row := range Rows() {
				for _, entry := range row.Entries {
					if entry.ABI != h.abi || len(entry.Functions) == 0 {
						continue
					}
					if got, ok := numbers[entry.Name]; !ok || got != int(entry.Number) {
						t.Errorf("%s: table has %d, %s has %d (defined: %t)", entry.Name, entry.Number, files[0], got, ok)
					}
				}
			}
		})
	}
}

// TestNoCallIsForgotten looks from the other side: every System V call that the
// header has must be in the table.
func TestNoCallIsForgotten(t *testing.T) {
	call := regexp.MustCompile(`^(ipc|(msg|sem|shm)(get|ctl|snd|rcv|op|timedop|timedop_time64|at|dt))$`)
	for _, h := range headers[:2] {
		found, err := filepath.Glob(h.globs[len(h.globs)-1])
		if err != nil {
			t.Fatal(err)
		}
		if len(found) == 0 {
			t.Skipf("no header %s here", h.globs[0])
		}
		for name, number := range headerNumbers(t, found[0]) {
			if call.MatchString(name) && !hasEntry(h.abi, name, number) {
				t.Errorf("%s %s (%d) is not in the table", h.abi, name, number)
			}
		}
	}
}

func hasEntry(abi ABI, name string, number int) bool {
	for _, row := range Rows() {
		for _, entry := range row.Entries {
			if entry.ABI == abi && entry.Name == name && int(entry.Number) == number {
				return true
			}
		}
	}
	return false
}

func headerNumbers(t *testing.T, file string) map[string]int {
	t.Helper()
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	numbers := map[string]int{}
	for lines := bufio.NewScanner(f); lines.Scan(); {
		if m := define.FindStringSubmatch(lines.Text()); m != nil {
			numbers[m[1]], _ = strconv.Atoi(m[2])
		}
	}
	if len(numbers) < 100 {
		t.Fatalf("%s defines only %d numbers", file, len(numbers))
	}
	return numbers
}

func TestFunctionsExistInThisKernel(t *testing.T) {
	if runtime.GOARCH != "amd64" {
		t.Skip("the symbols of", runtime.GOARCH, "are not checked")
	}
	b, err := os.ReadFile("/proc/kallsyms")
	if errors.Is(err, os.ErrNotExist) {
		t.Skip("the kernel lists no symbols")
	} else if err != nil {
		t.Fatal(err)
	}
	symbols := map[string]bool{}
	for line := range strings.Lines(string(b)) {
		if fields := strings.Fields(line); len(fields) >= 3 {
			symbols[fields[2]] = true
		}
	}
	if !symbols["__ia32_compat_sys_msgsnd"] {
		t.Skip("this kernel has no 32-bit entry points, or hides its symbols")
	}
	for _, row := range Rows() {
		for _, entry := range row.Entries {
			there := slices.ContainsFunc(entry.Functions, func(name string) bool { return symbols[name] })
			if (entry.ABI == AMD64 || entry.ABI == I386) && !there {
				t.Errorf("%s (%s): the kernel has none of %v", entry.Name, entry.ABI, entry.Functions)
			}
		}
	}
}

func TestTableIsConsistent(t *testing.T) {
	calls := map[uint16]string{}
	for _, row := range Rows() {
		if Lookup(row.ID) != row || ByName(row.Name) != row {
			t.Errorf("%s is not found by its own id and name", row.Name)
		}
		if len(row.Args) == 0 || len(row.Args) > MaxArgs {
			t.Errorf("%s has %d arguments", row.Name, len(row.Args))
		}
		if row.Doc == "" {
			t.Errorf("%s has no description", row.Name)
		}
		if row.ID == IPC {
			continue
		}
		if other, taken := calls[row.Call]; taken || row.Call == 0 {
			t.Errorf("%s has ipc(2) call %d, as %q has", row.Name, row.Call, other)
		}
		calls[row.Call] = row.Name
		if got := ByCall(row.Call); got != row.ID {
			t.Errorf("ByCall(%d) = %s, want %s", row.Call, got, row.Name)
		}
		slots := map[Slot]bool{}
		for _, arg := range row.Args {
			if slots[arg.Slot] || arg.Slot == CallSlot {
				t.Errorf("%s: argument %s has slot %s, which is taken", row.Name, arg.Name, arg.Slot)
			}
			slots[arg.Slot] = true
		}
	}
	if got := ByCall(25); got != IPC {
		t.Errorf("ByCall(25) = %s, want ipc: the kernel knows no such call", got)
	}
}
