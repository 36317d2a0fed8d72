package e2e

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// straced is one line of strace's output.
type straced struct {
	line string
	pid  uint32
	name string
	args []string
	ret  string // empty if strace does not know
	err  string
}

var (
	straceCall = regexp.MustCompile(`^(?:(\d+) +)?(\w+)\((.*)\) += (-?\w+|\?)(?: (E\w+) .*)?$`)
	comment    = regexp.MustCompile(`/\*.*?\*/`)
	inComment  = regexp.MustCompile(`/\* (.*?) \*/`)
)

// parseStrace reads the output of strace -f -o for calls of one thread, of which
// none is interrupted.
func parseStrace(t *testing.T, output []byte) []straced {
	t.Helper()
	var calls []straced
	for line := range strings.Lines(string(output)) {
		line = strings.TrimRight(line, "\n")
		if strings.HasSuffix(line, "+++") {
			continue
		}
		m := straceCall.FindStringSubmatch(line)
		if m == nil {
			t.Fatalf("not a line of strace: %q", line)
		}
		pid, err := strconv.ParseUint(m[1], 10, 32)
		if err != nil {
			t.Fatalf("no process id: %q", line)
		}
		ret := ""
		if m[4] != "?" {
			n, ok := value(m[4])
			if !ok {
				t.Fatalf("no return value: %q", line)
			}
			ret = strconv.FormatInt(int64(n), 10)
		}
		calls = append(calls, straced{line, uint32(pid), m[2], splitArgs(m[3]), ret, m[5]})
	}
	if len(calls) == 0 {
		t.Fatalf("strace saw no calls: %q", output)
	}
	return calls
}

// splitArgs splits at the commas that are not within brackets, strings or
// comments.
func splitArgs(s string) []string {
	if s == "" {
		return nil
	}
	var args []string
	depth, begin, quoted := 0, 0, false
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '{' || c == '[' || strings.HasPrefix(s[i:], "/*"):
			depth++
		case c == '}' || c == ']' || strings.HasPrefix(s[i:], "*/"):
			depth--
		case c == ',' && depth == 0:
			args = append(args, strings.TrimSpace(s[begin:i]))
			begin = i + 1
		}
	}
	return append(args, strings.TrimSpace(s[begin:]))
}

// value reads a number as strace writes it with -X verbose: alternatives ORed,
// with their names in comments, or a NULL, or [a number that a pointer leads to].
func value(token string) (v uint64, ok bool) {
	token = strings.Trim(comment.ReplaceAllString(token, ""), "[] ")
	if token == "NULL" {
		return 0, true
	}
	for part := range strings.SplitSeq(token, "|") {
		part = strings.TrimSpace(part)
		n, err := strconv.ParseInt(part, 0, 64)
		if err != nil {
			u, err := strconv.ParseUint(part, 0, 64)
			if err != nil {
				return 0, false
			}
			n = int64(u)
		}
		v |= uint64(n)
	}
	return v, true
}

// names returns the symbols in the comments of a token, without those for which
// strace has no name and without IPC_64, which is no part of a command.
func names(token string) []string {
	list := []string{}
	for _, m := range inComment.FindAllStringSubmatch(token, -1) {
		for name := range strings.SplitSeq(m[1], "|") {
			if name != "IPC_64" && !strings.Contains(name, "???") && !strings.HasPrefix(name, "0x") {
				list = append(list, name)
			}
		}
	}
	return list
}

func TestStraceParser(t *testing.T) {
	calls := parseStrace(t, []byte(`12    msgget(0 /* IPC_PRIVATE */, 0x200 /* IPC_CREAT */|0600) = 2
12    msgsnd(2, {mtype=3, mtext="a, \") = 1"}, 29, 0x40001800 /* MSG_NOERROR|IPC_NOWAIT|0x40000000 */) = -1 EAGAIN (Resource temporarily unavailable)
12    semctl(2, 1, 0x100 /* IPC_64 */|0x10 /* SETVAL */, [0xffffffff]) = 0
12    +++ exited with 0 +++
`))
	if got, want := len(calls), 3; got != want {
		t.Fatalf("%d calls, want %d", got, want)
	}
	for _, c := range []struct {
		got, want any
	}{
		{calls[0].ret, "2"},
		{len(calls[1].args), 4},
		{calls[1].args[1], `{mtype=3, mtext="a, \") = 1"}`},
		{calls[1].err, "EAGAIN"},
		{fmt.Sprint(value(calls[0].args[1])), fmt.Sprint(0o1600, true)},
		{fmt.Sprint(value(calls[2].args[3])), fmt.Sprint(uint64(0xffffffff), true)},
		{fmt.Sprint(names(calls[1].args[3])), "[MSG_NOERROR IPC_NOWAIT]"},
		{fmt.Sprint(names(calls[2].args[2])), "[SETVAL]"},
	} {
		if c.got != c.want {
			t.Errorf("got %v, want %v", c.got, c.want)
		}
	}
}
