package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// TestStrace lets strace and ipcwarden see the same calls. In one run strace
// prints the registers, in the other what it decodes.
func TestStrace(t *testing.T) {
	anyHook(t)
	requireBPF(t)
	strace, err := exec.LookPath("strace")
	if err != nil {
		t.Skipf("needs strace: %v", err)
	}
	for _, v := range variants {
		t.Run(v.name, func(t *testing.T) {
			requireVariant(t, v)
			if v.name != variants[0].name && !v.multiplex {
				emulated(t)
			}
			path := v.calls().build(t)
			t.Run("registers", func(t *testing.T) {
				compareStrace(t, v, strace, path, compareRegisters, "-e", "raw=all")
			})
			if testing.Short() {
				return // the same calls, and each start takes long on an emulated machine
			}
			if v.garbage {
				return // strace does not ignore it when it follows a pointer
			}
			t.Run("symbols", func(t *testing.T) {
				if v.compiler == armCompiler {
					t.Skip("strace for arm64 has no structures of 32-bit programs")
				}
				compareStrace(t, v, strace, path, compareSymbols, "-X", "verbose", "-s", "2000")
			})
		})
	}
}

// both is one call as ipcwarden reports it: raw is the ipc event of a call that
// came through ipc(2), for which decoded is missing if it is none of the twelve.
type both struct{ decoded, raw *document }

func compareStrace(t *testing.T, v variant, strace, path string, compare func(variant, straced, both) differences, options ...string) {
	output := filepath.Join(t.TempDir(), "strace")
	w := trace(t, "--events", everyEvent, "--snapshot-bytes", "1000")
	args := slices.Concat(options, []string{"-f", "-e", "trace=%ipc", "-o", output, path})
	runProgram(t, strace, args...)
	text, err := os.ReadFile(output)
	if err != nil {
		t.Fatal(err)
	}
	calls := parseStrace(t, text)
	w.awaitEnd(calls[0].pid)
	w.stop()
	pairs := pair(ofProcess(w.documents(), calls[0].pid))
	if len(pairs) != len(calls) {
		t.Errorf("ipcwarden saw %d calls, strace %d", len(pairs), len(calls))
	}
	for i := range min(len(pairs), len(calls)) {
		d := compare(v, calls[i], pairs[i])
		if len(d) > 0 {
			t.Errorf("%s:%s\n\tstrace: %s\n\tevent: %s\n\traw: %s", calls[i].name, list(d), head(calls[i].line, 500),
				head(dump(pairs[i].decoded), 1000), head(dump(pairs[i].raw), 500))
		}
		if len(d) > 0 && d[0] == outOfStep {
			t.Fatal("ipcwarden and strace are out of step from here on")
		}
	}
}

// pair joins the decoded event of an ipc(2) call with its raw one.
func pair(all []document) []both {
	var pairs []both
	decoded, raw := split(all)
	for _, r := range raw {
		for len(decoded) > 0 && decoded[0].Timestamp < r.Timestamp {
			pairs = append(pairs, both{decoded: &decoded[0]})
			decoded = decoded[1:]
		}
		b := both{raw: &r}
		if len(decoded) > 0 && decoded[0].Timestamp == r.Timestamp {
			b.decoded, decoded = &decoded[0], decoded[1:]
		}
		pairs = append(pairs, b)
	}
	for i := range decoded {
		pairs = append(pairs, both{decoded: &decoded[i]})
	}
	return pairs
}

const outOfStep = "another call"

// event is the call that strace names.
func (b both) event() *document {
	if b.decoded != nil {
		return b.decoded
	}
	return b.raw
}

// compareName checks the call itself, and how it ended.
func (d *differences) compareName(c straced, got *document) bool {
	name := strings.TrimSuffix(c.name, "_time64")
	if got.EventName != name {
		*d = append(*d, outOfStep)
		d.add("eventName", got.EventName, name)
		return false
	}
	d.equal("error", got.errorName(), c.err)
	return true
}

func (d *differences) returned(v variant, c straced, got *document) {
	if v.compat && strings.HasPrefix(c.ret, "-") { // on arm64, strace extends the sign of an address
		n, _ := strconv.ParseInt(c.ret, 10, 64) // as parseStrace wrote it
		c.ret = fmt.Sprint(uint32(n))
	}
	if c.err == "" && c.ret != "" {
		d.equal("returnValue", got.ReturnValue.String(), c.ret)
	}
}

// compareRegisters compares what strace -e raw=all prints: the parameters of the
// call as they were passed, for a multiplexed one those of ipc(2).
func compareRegisters(v variant, c straced, got both) (d differences) {
	if !d.compareName(c, got.event()) {
		return d
	}
	registers := got.decoded
	if got.raw != nil {
		registers = got.raw
		if got.decoded != nil { // strace leaves out the operation
			c.args = append([]string{fmt.Sprintf("%#x", number(got.raw.Args[0].Value))}, c.args...)
		}
	}
	d.returned(v, c, registers)
	if len(c.args) > len(registers.Args) {
		d.add("number of args", len(registers.Args), len(c.args))
		return d
	}
	for i, token := range c.args {
		arg := registers.Args[i]
		want, err := strconv.ParseUint(token, 0, 64)
		if err != nil {
			d.add(arg.Name, err, "a number in strace's output")
			continue
		}
		if arg.Name == "cmd" {
			want &^= 0x100
		}
		if width(v, arg) == 4 {
			want = uint64(uint32(want))
		}
		d.equal(arg.Name, fmt.Sprintf("%#x", bits(v, arg)), fmt.Sprintf("%#x", want))
	}
	return d
}

// width is how many bytes the kernel takes of an argument's register.
func width(v variant, arg argument) int {
	if v.compat || arg.Type == "int" || arg.Type == "key_t" {
		return 4
	}
	return 8
}

// bits is the value of an argument in that width.
func bits(v variant, arg argument) uint64 {
	var n uint64
	switch value := arg.Value.(type) {
	case string:
		n, _ = strconv.ParseUint(value, 0, 64) // TestCalls checks that it is a number
	default:
		text := fmt.Sprint(value)
		if i, err := strconv.ParseInt(text, 10, 64); err == nil {
			n = uint64(i)
		} else {
			n, _ = strconv.ParseUint(text, 10, 64)
		}
	}
	if width(v, arg) == 4 {
		n = uint64(uint32(n))
	}
	return n
}

// compareSymbols compares what strace -X verbose prints: numbers, the names of
// flags and commands, and the memory behind pointers.
func compareSymbols(v variant, c straced, got both) (d differences) {
	e := got.event()
	if !d.compareName(c, e) || c.name == "ipc" {
		return d
	}
	d.returned(v, c, e)
	tokens := c.byName(e)
	for _, arg := range e.Args {
		token, ok := tokens[arg.Name]
		if !ok {
			continue
		}
		if n, ok := value(token); ok {
			if arg.Name == "cmd" {
				n &^= 0x100
			}
			if width(v, arg) == 4 {
				n = uint64(uint32(n))
			}
			d.equal(arg.Name, fmt.Sprintf("%#x", bits(v, arg)), fmt.Sprintf("%#x", n))
		}
		d.symbols(arg.Name, token, e)
		d.pointee(v, arg.Name, token, e)
	}
	return d
}

// byName tells which argument strace printed where. Of an msgrcv through ipc(2)
// that failed, it leaves out msgtyp, and prints ptr for msgp, to which ptr leads.
func (c straced) byName(e *document) map[string]string {
	tokens := map[string]string{}
	if e.EventName == "msgrcv" && len(c.args) == 4 {
		return map[string]string{"msqid": c.args[0], "msgsz": c.args[2], "msgflg": c.args[3]}
	}
	for i, arg := range e.Args {
		if i < len(c.args) {
			tokens[arg.Name] = c.args[i]
		}
	}
	return tokens
}

// sharedNames are flags that strace names for both msgsnd and msgrcv, of which
// msgsnd knows only IPC_NOWAIT.
var sharedNames = map[string]bool{"MSG_NOERROR": true, "MSG_EXCEPT": true, "MSG_COPY": true}

func (d *differences) symbols(arg, token string, e *document) {
	want := names(token)
	switch {
	case arg == "cmd":
		d.equal("command", e.commandName(), strings.Join(want, ""))
	case strings.HasSuffix(arg, "flg"):
		var known []string
		for _, name := range want {
			if name != "IPC_PRIVATE" && (e.EventName != "msgsnd" || !sharedNames[name]) {
				known = append(known, name)
			}
		}
		var reported []string
		for _, name := range e.Flags {
			if !strings.HasPrefix(name, "0x") {
				reported = append(reported, name)
			}
		}
		d.equal("flags", sorted(reported), sorted(known))
	}
}

var (
	tracedType    = regexp.MustCompile(`mtype=(-?\d+)`)
	tracedText    = regexp.MustCompile(`mtext=("(?:[^"\\]|\\.)*")`)
	tracedTimeout = regexp.MustCompile(`tv_sec=(-?\d+), tv_nsec=(-?\d+)`)
	tracedOp      = regexp.MustCompile(`sem_num=(\d+), sem_op=(-?\d+), sem_flg=(\w+)`)
)

// pointee compares the memory that both have decoded.
func (d *differences) pointee(v variant, arg, token string, e *document) {
	r := e.region(arg)
	if r == nil || r.best() == nil {
		return
	}
	c := r.best()
	if m := tracedType.FindStringSubmatch(token); m != nil {
		d.equal("mtype", fmt.Sprint(deref(c.Mtype)), m[1])
	}
	if m := tracedText.FindStringSubmatch(token); m != nil && c.Text != nil && c.State == "read" {
		if text, err := strconv.Unquote(octal(m[1])); err != nil {
			d.add("mtext", err, m[1])
		} else if e.EventName == "msgrcv" && !strings.HasPrefix(text, *c.Text) || e.EventName == "msgsnd" && *c.Text != text {
			// strace prints the whole buffer that msgrcv could have filled.
			d.add("mtext", *c.Text, text)
		}
	}
	if m := tracedTimeout.FindStringSubmatch(token); m != nil {
		nsec, err := strconv.ParseInt(m[2], 10, 64)
		if err != nil {
			d.add("timeout", err, m[2])
		}
		if v.compat { // strace prints the padding too
			nsec &= 0xffffffff
		}
		d.equal("timeout", fmt.Sprint(deref(c.TvSec), " ", deref(c.TvNsec)), fmt.Sprint(m[1], " ", nsec))
	}
	for i, m := range tracedOp.FindAllStringSubmatch(token, -1) {
		if i == len(c.Sops) {
			break
		}
		flags, err := strconv.ParseUint(m[3], 0, 16)
		if err != nil {
			d.add("sem_flg", err, m[3])
		}
		op := c.Sops[i]
		d.equal(fmt.Sprintf("sops[%d]", i), fmt.Sprintf("%d %d %d", op.SemNum, op.SemOp, op.SemFlg),
			fmt.Sprintf("%s %s %d", m[1], m[2], int16(flags)))
	}
}

// octal pads strace's octal escapes to the three digits that Go wants.
func octal(quoted string) string {
	return regexp.MustCompile(`\\[0-7]{1,3}`).ReplaceAllStringFunc(quoted, func(escape string) string {
		return `\` + strings.Repeat("0", 4-len(escape)) + escape[1:]
	})
}
