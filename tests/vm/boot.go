package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"
)

// tailLines is how much of the log is shown of a machine that ended badly.
const tailLines = 40

// commandLine is for the kernel. It ends with its first failure, and does not
// check whether the timer keeps pace: on a busy host it does not, and 5.10 panics.
const commandLine = "console=ttyS0 quiet panic=-1 oops=panic no_timer_check"

// machine is one virtual machine. Emulation is in software, so that it works
// inside another virtual machine. It has one CPU: with two, QEMU 7.2 now and then
// goes on running what the kernel has patched away when a tracepoint is switched,
// and both CPUs hang in syscall_trace_enter.
type machine struct {
	image, initramfs string
	order            order
	limit, silence   time.Duration // of everything, and between two lines
	log              io.Writer
}

// line is one line from the guest.
type line struct {
	text    string
	console bool // from the kernel, and not a record
}

// start runs QEMU with two serial lines: the kernel's console, and the records.
// The emulator ends with ctx, and with this process in any case.
func (m machine) start(ctx context.Context) (cmd *exec.Cmd, console, records *os.File, err error) {
	word, err := m.order.encode()
	if err != nil {
		return nil, nil, nil, err
	}
	console, consoleEnd, err := os.Pipe()
	if err != nil {
		return nil, nil, nil, err
	}
	defer consoleEnd.Close()
	records, recordsEnd, err := os.Pipe()
	if err != nil {
		return nil, nil, nil, errors.Join(err, console.Close())
	}
	defer recordsEnd.Close()
	cmd = exec.CommandContext(ctx, "qemu-system-x86_64",
		"-accel", "tcg", "-cpu", "max", "-smp", "1", "-m", "2048",
		"-nodefaults", "-display", "none", "-no-reboot",
		"-chardev", "file,id=console,path=/dev/fd/3", "-serial", "chardev:console",
		"-chardev", "file,id=records,path=/dev/fd/4", "-serial", "chardev:records",
		"-kernel", m.image, "-initrd", m.initramfs,
		"-append", commandLine+" "+parameter+word)
	cmd.ExtraFiles = []*os.File{consoleEnd, recordsEnd}
	cmd.Stdout, cmd.Stderr = consoleEnd, consoleEnd // its own complaints
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		err = fmt.Errorf("starting QEMU: %w", err)
		return nil, nil, nil, errors.Join(err, console.Close(), records.Close())
	}
	return cmd, console, records, nil
}

// boot starts the machine and hands over the records until it ends. The error
// says why the end was not the one that the guest announced; tail is what the
// machine said before.
func (m machine) boot(ctx context.Context, receive func(record)) (tail string, err error) {
	ctx, cancel := context.WithTimeoutCause(ctx, m.limit, fmt.Errorf("not done after %v", m.limit))
	defer cancel()
	stopping, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	cmd, console, records, err := m.start(stopping)
	if err != nil {
		return "", err
	}
	lines := make(chan line)
	both := make(chan struct{}, 2)
	for _, f := range []*os.File{console, records} {
		go func() {
			readLines(f, f == console, lines)
			f.Close()
			both <- struct{}{}
		}()
	}
	go func() {
		<-both
		<-both
		close(lines)
	}()
	watch := watcher{log: m.log, receive: receive}
	silence := time.AfterFunc(m.silence, func() { stop(fmt.Errorf("no line for %v", m.silence)) })
	defer silence.Stop()
	for l := range lines {
		silence.Reset(m.silence)
		if watch.line(l); watch.failure != nil {
			// The kernel reboots after a panic and QEMU ends; if not, this ends it.
			failure := watch.failure
			time.AfterFunc(5*time.Second, func() { stop(failure) })
		}
	}
	stopped := context.Cause(stopping)
	waitErr := cmd.Wait()
	return watch.tail(), watch.verdict(stopped, waitErr)
}

func readLines(r io.Reader, console bool, lines chan<- line) {
	b := bufio.NewReaderSize(r, 1<<16)
	for {
		text, err := b.ReadString('\n')
		if text = strings.TrimRight(text, "\r\n"); text != "" {
			lines <- line{text: text, console: console}
		}
		if err != nil {
			return
		}
	}
}

// watcher judges the lines of one boot.
type watcher struct {
	log     io.Writer
	receive func(record)
	recent  []string
	failure error // of the kernel
	ended   bool
	doing   string // the last test that began
}

func (w *watcher) line(l line) {
	if l.console {
		w.note(l.text)
		if w.failure == nil && dying(l.text) {
			w.failure = fmt.Errorf("the kernel died: %s", l.text)
		}
		return
	}
	var r record
	if err := json.Unmarshal([]byte(l.text), &r); err != nil {
		w.note(l.text)
		w.receive(record{Type: recordError, Error: fmt.Sprintf("not a record: %v: %.200q", err, l.text)})
		return
	}
	w.record(r)
}

func (w *watcher) record(r record) {
	switch r.Type {
	case recordEnd:
		w.ended = true
	case recordRun:
		w.doing = r.Hook + " " + r.Test
	}
	w.note(abbreviated(r))
	w.receive(r)
}

func (w *watcher) note(text string) {
	fmt.Fprintln(w.log, text)
	w.recent = append(w.recent, text)
	if len(w.recent) > tailLines {
		w.recent = w.recent[1:]
	}
}

func (w *watcher) tail() string { return strings.Join(w.recent, "\n") }

// verdict names the first cause of a bad end.
func (w *watcher) verdict(stopped, waitErr error) error {
	var cause error
	switch {
	case w.failure != nil:
		cause = w.failure
	case w.ended && stopped == nil && waitErr == nil:
		return nil
	case stopped != nil:
		cause = stopped
	case waitErr != nil:
		cause = fmt.Errorf("QEMU: %w", waitErr)
	default:
		cause = errors.New("the machine ended before its tests")
	}
	if w.doing != "" && !w.ended {
		return fmt.Errorf("%w (during %s)", cause, w.doing)
	}
	return cause
}

// dying recognises the messages of a kernel that will not recover. The console is
// quiet: warnings do not reach it.
func dying(text string) bool {
	for _, words := range []string{"Kernel panic", "Oops: ", "BUG: ", "general protection fault", "Unable to mount root"} {
		if strings.Contains(text, words) {
			return true
		}
	}
	return false
}

// abbreviated is a record for people.
func abbreviated(r record) string {
	if len(r.Data) > 40 {
		r.Data = fmt.Sprintf("%s… (%d bytes)", r.Data[:40], len(r.Data))
	}
	b, err := json.Marshal(r)
	if err != nil {
		return err.Error()
	}
	return string(b)
}
