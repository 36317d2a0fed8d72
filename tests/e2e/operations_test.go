package e2e

import (
	"encoding/json"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"
)

// ask gets an address, and returns the code and the body of the answer.
func ask(t *testing.T, url string) (int, string) {
	t.Helper()
	response, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(body)
}

// eventually asks until the code is the one that is wanted.
func eventually(t *testing.T, url string, code int) (body string) {
	t.Helper()
	got := 0
	for end := time.Now().Add(limit); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		if got, body = ask(t, url); got == code {
			return body
		}
	}
	t.Fatalf("%s answers %d, want %d: %s", url, got, code, body)
	return ""
}

// TestOperations asks a running ipcwarden how it is in every way that there is, reloads
// a configuration that is wrong and then one that is right, and compares what systemd is
// told, what the local socket says of alerts, and what stdout had.
func TestOperations(t *testing.T) {
	emulated(t)
	requireBPF(t)
	dir := t.TempDir()
	socket := filepath.Join(dir, "api.sock")
	file := filepath.Join(dir, "config.yaml")
	writeFile(t, filepath.Join(dir, "signatures", "a.rego"), edition(1, "msgsnd"))
	good := "signatures: {builtin: false, paths: [" + dir + "/signatures]}\nmetrics: {listen: 127.0.0.1:0}\napi: {socket: " + socket + "}\n"
	writeFile(t, file, good)

	systemd, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: filepath.Join(dir, "notify"), Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	defer systemd.Close()
	t.Setenv("NOTIFY_SOCKET", filepath.Join(dir, "notify"))
	t.Setenv("WATCHDOG_USEC", "2000000")
	told := func(want string) {
		t.Helper()
		message := make([]byte, 1000)
		var all []string
		systemd.SetReadDeadline(time.Now().Add(limit))
		for {
			n, err := systemd.Read(message)
			if err != nil {
				t.Fatalf("systemd is told %q, and not %s: %v", all, want, err)
			}
			if all = append(all, string(message[:n])); regexp.MustCompile("^(?:" + want + ")$").Match(message[:n]) {
				return
			}
		}
	}

	w := start(t, "run", "--config", file)
	told("READY=1")
	told("WATCHDOG=1")
	at := w.listens()
	if code, body := ask(t, at+"/healthz"); code != http.StatusOK {
		t.Errorf("healthz: %d %s", code, body)
	}
	eventually(t, at+"/readyz", http.StatusOK)
	if code, _ := ask(t, at+"/debug/pprof/"); code != http.StatusNotFound {
		t.Errorf("profiles nobody asked for: %d", code)
	}

	follower := exec.Command(binary(t), "alerts", "--follow", "--api", socket, "--output", "json")
	followed, err := follower.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := follower.Start(); err != nil {
		t.Fatal(err)
	}
	defer follower.Wait()
	defer follower.Process.Kill()
	for end := time.Now().Add(limit); !strings.Contains(metric(t, at, "ipcwarden_followers"), "1"); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("nobody follows")
		}
	}
	runProgram(t, count.build(t), "1", "2")
	w.stdout.await(limit, func([]byte) bool { return len(w.stdout.soFar()) == 2 })
	seen := json.NewDecoder(followed)
	for i := range 2 {
		var a, b any
		if err := seen.Decode(&a); err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(w.stdout.soFar()[i], &b); err != nil || dump(a) != dump(b) {
			t.Errorf("alert %d is %s by the socket, and on stdout %s (%v)", i, dump(a), dump(b), err)
		}
	}
	table := runProgram(t, binary(t), "alerts", "--api", socket, "--last", "1").stdout
	if n := strings.Count(string(table), "\n"); n != 1 || !strings.Contains(string(table), "E2E-LOAD") || !strings.Contains(string(table), "msgsnd(") {
		t.Errorf("the last alert:\n%s", table)
	}

	writeFile(t, file, good+"otput: json\n")
	w.hangUp()
	told(`RELOADING=1\nMONOTONIC_USEC=\d+\n?`)
	told("READY=1")
	if body := eventually(t, at+"/readyz", http.StatusServiceUnavailable); !strings.Contains(body, file+":4: otput: unknown key; the nearest is output") {
		t.Errorf("readyz does not say what is wrong: %s", body)
	}
	if got := metric(t, at, `ipcwarden_reloads_total{result="failure"}`); got != "1" {
		t.Errorf("failed reloads: %s", got)
	}
	status := exec.Command(binary(t), "status", "--api", socket)
	if out, err := status.CombinedOutput(); status.ProcessState.ExitCode() != 1 || !strings.Contains(string(out), "not ready") {
		t.Errorf("status: %v\n%s", err, out)
	}

	writeFile(t, file, good+"output: table\n")
	w.hangUp()
	if line, ok := w.stderr.await(limit, isMessage("changes that need a restart")); !ok || !strings.Contains(string(line), `"keys":["output"]`) {
		t.Errorf("the log does not say what needs a restart: %s", w.stderr.text())
	}
	eventually(t, at+"/readyz", http.StatusOK)
	var s struct {
		Ready   bool
		Capture struct {
			Hook                                            string
			Entered, Emitted, Filtered, Unmatched, InFlight uint64
			Lost                                            map[string]uint64
		}
		Signatures []struct{ ID string }
		LastAlerts []alert
		Reload     struct{ Successes, Failures uint64 }
	}
	if err := json.Unmarshal(runProgram(t, binary(t), "status", "--api", socket, "--output", "json").stdout, &s); err != nil {
		t.Fatal(err)
	}
	if !s.Ready || s.Capture.Hook == "" || len(s.Signatures) != 1 || len(s.LastAlerts) != 2 || s.Reload.Successes != 2 || s.Reload.Failures != 1 {
		t.Errorf("status %+v", s)
	}
	if got := metric(t, at, `ipcwarden_signature_matches_total{signature="E2E-LOAD"}`); got != "2" {
		t.Errorf("matches: %s", got)
	}
	if info, err := os.Stat(socket); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info, err)
	}

	if err := w.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	told("STOPPING=1")
	w.wait()
	if _, err := os.Stat(socket); !os.IsNotExist(err) {
		t.Errorf("the socket is left: %v", err)
	}
}

// listens is where it answers by HTTP.
func (w *warden) listens() (url string) {
	w.t.Helper()
	line, ok := w.stderr.await(limit, func(line []byte) bool { return strings.Contains(string(line), `"address":"127.0.0.1:`) })
	if !ok {
		w.t.Fatalf("it listens nowhere: %s", w.stderr.text())
	}
	return "http://" + decode[struct{ Address string }](w.t, line).Address
}

// metric is the value of a metric.
func metric(t *testing.T, at, name string) string {
	t.Helper()
	_, body := ask(t, at+"/metrics")
	for line := range strings.Lines(body) {
		if value, ok := strings.CutPrefix(line, name+" "); ok {
			return strings.TrimSpace(value)
		}
	}
	t.Fatalf("there is no %s in\n%s", name, body)
	return ""
}
