package e2e

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// loadSignature finds every message of program count, and says by which edition
// of itself.
const loadSignature = `# METADATA
# title: Message of the load
# description: Program count sent a message.
# custom:
#   id: E2E-LOAD
#   severity: info
#   events: [EVENTS]
package e2e.load

match if input.processName == "count"

evidence["edition"] := EDITION
`

func edition(n int, events string) string {
	return strings.NewReplacer("EVENTS", events, "EDITION", fmt.Sprint(n)).Replace(loadSignature)
}

// reloaded is the log line that tells of new signatures.
type reloaded struct {
	Signatures     int
	Added, Removed []string
}

// awaitReloads waits until the signatures have been reloaded n times since the
// start, and returns what the log says of the last.
func (w *warden) awaitReloads(n int) (last reloaded) {
	w.t.Helper()
	seen := 0
	line, ok := w.stderr.await(limit, func(line []byte) bool {
		if isMessage("signatures reloaded")(line) {
			seen++
		}
		return seen == n
	})
	if !ok {
		w.t.Fatalf("%d reloads, want %d\nstderr: %s", seen, n, w.stderr.text())
	}
	if err := json.Unmarshal(line, &last); err != nil {
		w.t.Fatal(err)
	}
	return last
}

func (w *warden) hangUp() {
	w.t.Helper()
	if err := w.cmd.Process.Signal(syscall.SIGHUP); err != nil {
		w.t.Fatal(err)
	}
}

func writeFile(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	// As an editor does: nobody sees half of it.
	if err := os.WriteFile(path+".tmp", []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(path+".tmp", path); err != nil {
		t.Fatal(err)
	}
}

// TestReloadUnderLoad reloads while messages flow. Each is judged once, by one
// edition of the signature; the editions follow each other.
func TestReloadUnderLoad(t *testing.T) {
	anyHook(t)
	requireBPF(t)
	const reloads = 5
	dir := signatures(t, map[string]string{"end.rego": endSignature, "load.rego": edition(0, "msgsnd")})
	w := start(t, "run", "--no-builtin", "--signatures", dir)
	path := count.build(t)
	stop := make(chan struct{})
	sent := make(chan uint64)
	go func() {
		var messages uint64
		defer func() { sent <- messages }()
		for {
			select {
			case <-stop:
				return
			default:
			}
			out, err := exec.Command(path, "1", "20").Output()
			var c counted
			if err == nil {
				err = json.Unmarshal(out, &c)
			}
			if err != nil {
				t.Errorf("count: %v", err)
				return
			}
			messages += (c.Calls - 2) / 2 // half are received; one makes the queue, one removes it
		}
	}()
	for n := 1; n <= reloads; n++ {
		writeFile(t, filepath.Join(dir, "load.rego"), edition(n, "msgsnd"))
		// The change of the file alone would do, but later.
		w.hangUp()
		if last := w.awaitReloads(n); last.Signatures != 2 || len(last.Added)+len(last.Removed) != 0 {
			t.Errorf("reload %d: %+v", n, last)
		}
	}
	close(stop)
	want := <-sent
	summary := w.stop()
	var found uint64
	last, editions := 0, map[int]int{}
	for _, line := range w.stdout.rest(t) {
		a := decode[alert](t, line)
		if a.Signature.ID != "E2E-LOAD" {
			continue
		}
		found++
		var n int
		if _, err := fmt.Sscan(fmt.Sprint(a.Evidence["edition"]), &n); err != nil || n < last {
			t.Fatalf("edition %v after %d", a.Evidence["edition"], last)
		}
		last = n
		editions[n]++
	}
	t.Logf("%d messages, by edition %v; %+v", want, editions, summary)
	if found != want && found+summary.dropped() < want || found > want {
		t.Errorf("%d alerts, want one for each of %d messages: %+v", found, want, summary)
	}
	if last != reloads || len(editions) < 2 {
		t.Errorf("editions %v, want up to %d", editions, reloads)
	}
}

// TestReloadChangesEvents has the new signature select an event that was not
// captured before, and the old one's no more.
func TestReloadChangesEvents(t *testing.T) {
	anyHook(t)
	requireBPF(t)
	dir := signatures(t, map[string]string{"end.rego": endSignature, "load.rego": edition(0, "msgsnd")})
	w := start(t, "run", "--no-builtin", "--signatures", dir)
	path := count.build(t)
	writeFile(t, filepath.Join(dir, "load.rego"), edition(1, "msgget, msgctl"))
	w.awaitReloads(1)
	runProgram(t, path, "1", "50")
	s := w.stop()
	var calls []string
	for _, line := range w.stdout.rest(t) {
		if a := decode[alert](t, line); a.Signature.ID == "E2E-LOAD" {
			calls = append(calls, a.Event.EventName)
		}
	}
	if want := []string{"msgget", "msgctl"}; !slices.Equal(calls, want) {
		t.Errorf("alerts for %q, want %q", calls, want)
	}
	if s.Filtered < 100 {
		t.Errorf("messages are captured in vain: %+v", s)
	}
}

// TestReloadOfFiles changes files and waits for what happens by itself.
func TestReloadOfFiles(t *testing.T) {
	emulated(t)
	requireBPF(t)
	dir := signatures(t, map[string]string{"end.rego": endSignature})
	w := start(t, "run", "--no-builtin", "--signatures", dir)
	path := count.build(t)
	load := filepath.Join(dir, "new", "load.rego")
	alerts := func() (n int) {
		t.Helper()
		sender := runProgram(t, path, "1", "3")
		last := runProgram(t, suspicious.build(t), "--benign", "msg-copy-peek")
		for _, a := range w.alertsUntil(last.pid, sender.pid) {
			if a.Signature.ID == "E2E-LOAD" {
				n++
			}
		}
		return n
	}

	writeFile(t, load, edition(1, "msgsnd"))
	if last := w.awaitReloads(1); last.Signatures != 2 || !slices.Equal(last.Added, []string{"E2E-LOAD"}) {
		t.Errorf("%+v", last)
	}
	if n := alerts(); n != 3 {
		t.Errorf("a new file: %d alerts, want 3", n)
	}

	writeFile(t, load, strings.Replace(edition(2, "msgsnd"), "input.processName", "input.procesName", 1))
	isError := isMessage("not reloaded, configuration and signatures from before stay in use")
	line, ok := w.stderr.await(limit, isError)
	if !ok || !strings.Contains(string(line), load+":10:") || !strings.Contains(string(line), `"level":"error"`) {
		t.Errorf("a broken file: log %s", line)
	}
	if n := alerts(); n != 3 {
		t.Errorf("a broken file: %d alerts, want 3 by the old signature", n)
	}
	time.Sleep(2 * time.Second) // for a second error, or a reload
	logged := 0
	for _, line := range w.stderr.soFar() {
		if isError(line) {
			logged++
		}
	}
	if logged != 1 {
		t.Errorf("a broken file: %d errors, want one\n%s", logged, w.stderr.text())
	}

	if err := os.Remove(load); err != nil {
		t.Fatal(err)
	}
	if last := w.awaitReloads(2); last.Signatures != 1 || !slices.Equal(last.Removed, []string{"E2E-LOAD"}) {
		t.Errorf("%+v", last)
	}
	if n := alerts(); n != 0 {
		t.Errorf("no file: %d alerts, want none", n)
	}
	w.stop()
}

// TestReloadOfConfigMap replaces the directory behind a link, as Kubernetes does.
func TestReloadOfConfigMap(t *testing.T) {
	emulated(t)
	requireBPF(t)
	mount := t.TempDir()
	publish := func(version, text string) {
		t.Helper()
		writeFile(t, filepath.Join(mount, version, "load.rego"), text)
		link := filepath.Join(mount, "..data")
		if err := os.Symlink(version, link+"_tmp"); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(link+"_tmp", link); err != nil {
			t.Fatal(err)
		}
	}
	publish("..1", edition(1, "msgsnd"))
	if err := os.Symlink("..data/load.rego", filepath.Join(mount, "load.rego")); err != nil {
		t.Fatal(err)
	}
	w := start(t, "run", "--no-builtin", "--signatures", mount)
	for n := 2; n <= 3; n++ {
		publish(fmt.Sprintf("..%d", n), edition(n, "msgsnd"))
		w.awaitReloads(n - 1)
		if err := os.RemoveAll(filepath.Join(mount, fmt.Sprintf("..%d", n-1))); err != nil {
			t.Fatal(err)
		}
	}
	runProgram(t, count.build(t), "1", "1")
	w.stop()
	lines := w.stdout.rest(t)
	if len(lines) != 1 || fmt.Sprint(decode[alert](t, lines[0]).Evidence["edition"]) != "3" {
		t.Errorf("alerts %s, want one by edition 3", lines)
	}
}

// slowSignature goes through a billion pairs.
const slowSignature = `# METADATA
# title: Slow
# description: A cross product by accident.
# custom:
#   id: E2E-SLOW
#   severity: low
#   events: [msgsnd]
package e2e.slow

match if {
	some i in numbers.range(1, 30000)
	some j in numbers.range(1, 30000)
	i * j == -1
}
`

func TestSlowSignatureIsSuspended(t *testing.T) {
	emulated(t)
	requireBPF(t)
	dir := signatures(t, map[string]string{"end.rego": endSignature, "load.rego": edition(1, "msgsnd"), "slow.rego": slowSignature})
	w := start(t, "run", "--no-builtin", "--signatures", dir)
	p := runProgram(t, count.build(t), "1", "40")
	w.stop()
	var found, suspended int
	for _, line := range w.stdout.rest(t) {
		switch a := decode[alert](t, line); {
		case a.Type == "suspended":
			suspended++
			if a.Signature.ID != "E2E-SLOW" || a.Event == nil || a.Event.HostProcessID != p.pid {
				t.Errorf("suspended: %s", line)
			}
		case a.Signature.ID == "E2E-LOAD":
			found++
		case a.Signature.ID == "E2E-SLOW":
			t.Errorf("a finding of a verdict that was not reached: %s", line)
		}
	}
	if suspended != 1 || found != 40 {
		t.Errorf("%d suspensions, want one; %d alerts, want 40\n%s", suspended, found, w.stderr.text())
	}
	if _, ok := w.stderr.await(limit, isMessage("signature suspended until the signatures are reloaded")); !ok {
		t.Errorf("the log says nothing of the suspension:\n%s", w.stderr.text())
	}
}

// TestHangupNeverKills sends SIGHUP all the time, from before the first signature
// is loaded to the end.
func TestHangupNeverKills(t *testing.T) {
	emulated(t)
	requireBPF(t)
	dir := signatures(t, map[string]string{"end.rego": endSignature})
	w := launch(t, nil, "run", "--signatures", dir)
	awaitWatch(t, w)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for {
			select {
			case <-w.exited:
				return
			case <-time.After(3 * time.Millisecond):
				_ = w.cmd.Process.Signal(syscall.SIGHUP) // it may just have ended
			}
		}
	}()
	if _, ok := w.stderr.await(limit, isMessage("watching")); !ok {
		t.Fatalf("not watching\nstderr: %s", w.stderr.text())
	}
	w.awaitReloads(1)
	w.stop()
	<-ended
}

// awaitWatch waits until ipcwarden watches files, which is the first that can be
// seen of it.
func awaitWatch(t *testing.T, w *warden) {
	t.Helper()
	fds := fmt.Sprintf("/proc/%d/fd", w.cmd.Process.Pid)
	for end := time.Now().Add(limit); time.Now().Before(end); time.Sleep(time.Millisecond) {
		entries, _ := os.ReadDir(fds) // none once it has ended
		for _, entry := range entries {
			if target, err := os.Readlink(filepath.Join(fds, entry.Name())); err == nil && target == "anon_inode:inotify" {
				return
			}
		}
	}
	t.Fatalf("it watches no file\nstderr: %s", w.stderr.text())
}

// TestReloadOfBundle replaces a bundle, and then damages it.
func TestReloadOfBundle(t *testing.T) {
	emulated(t)
	requireBPF(t)
	file := filepath.Join(t.TempDir(), "site.tar.gz")
	pack := func(text string) {
		t.Helper()
		var b bytes.Buffer
		zipped := gzip.NewWriter(&b)
		w := tar.NewWriter(zipped)
		err := w.WriteHeader(&tar.Header{Name: "/load.rego", Typeflag: tar.TypeReg, Mode: 0o644, Size: int64(len(text))})
		if err == nil {
			_, err = w.Write([]byte(text))
		}
		if err = errors.Join(err, w.Close(), zipped.Close()); err != nil {
			t.Fatal(err)
		}
		writeFile(t, file, b.String())
	}
	pack(edition(1, "msgsnd"))
	w := start(t, "run", "--no-builtin", "--signatures", file)
	pack(edition(2, "msgsnd"))
	w.awaitReloads(1)
	writeFile(t, file, "no bundle")
	line, ok := w.stderr.await(limit, isMessage("not reloaded, configuration and signatures from before stay in use"))
	if !ok || !strings.Contains(string(line), file+": not a bundle") {
		t.Errorf("a damaged bundle: log %s", line)
	}
	runProgram(t, count.build(t), "1", "1")
	w.stop()
	lines := w.stdout.rest(t)
	if len(lines) != 1 || fmt.Sprint(decode[alert](t, lines[0]).Evidence["edition"]) != "2" {
		t.Errorf("alerts %s, want one by edition 2", lines)
	}
}
