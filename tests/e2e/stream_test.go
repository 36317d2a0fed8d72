package e2e

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// keepStream writes what was reported of a process to $IPCWARDEN_E2E_STREAMS,
// without what differs from run to run. So the streams of the same program under
// other kernels and hooks have to be the same: see tests/vm.
func (w *warden) keepStream(name string, pid uint32) {
	w.t.Helper()
	dir := os.Getenv("IPCWARDEN_E2E_STREAMS")
	if dir == "" {
		return
	}
	events := []any{}
	for _, line := range w.stdout.rest(w.t) {
		if decode[document](w.t, line).HostProcessID == pid {
			events = append(events, same(decode[map[string]any](w.t, line)))
		}
	}
	b, err := json.MarshalIndent(events, "", " ")
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, name+".json"), b, 0o644)
	}
	if err != nil {
		w.t.Fatal(err)
	}
}

// varying is what no two runs have in common: ids, addresses, times, places and who began
// them.
// inKernel and stalledNs are what kernels differ in that cannot be watched everywhere.
var varying = regexp.MustCompile(`^(timestamp|.*[tT]ime|durationNs|.*Id|.*EntityId|.*[nN]amespace|id|sequence|[lc]r?pid|ls?pid|msqid|semid|shmid|address|pointer|inKernel|hostName|executable|ancestors|sleeps|stalledNs|stalledSleeps|digest|segment|attached|fileSystem)$`)

// same takes out of a document what varies. Addresses are strings, and so are
// bytes; those that are addresses themselves have no name of their own.
func same(document map[string]any) map[string]any {
	for name, value := range document {
		switch value := value.(type) {
		case map[string]any:
			document[name] = same(value)
		case []any:
			for i := range value {
				if element, ok := value[i].(map[string]any); ok {
					value[i] = same(element)
				}
			}
		case string:
			if strings.HasPrefix(value, "0x") {
				document[name] = "an address"
			}
		}
		if varying.MatchString(name) || isAddress(name, value) {
			delete(document, name)
		}
	}
	// Tracee's form of an argument.
	if name, ok := document["name"].(string); ok && (varying.MatchString(name) || isAddress(name, document["value"])) {
		delete(document, "value")
	}
	if result, ok := document["returnValue"]; ok && number(result) > 0 && document["eventName"] != "msgrcv" {
		delete(document, "returnValue") // an id or an address
	}
	if entry, ok := document["atEntry"].(map[string]any); ok && entry["state"] == "unreadable" {
		delete(document, "changed") // is known where the kernel's copy is
	}
	switch document["type"] {
	case "pointer":
		delete(document, "atEntry")
		delete(document, "atExit")
	case "ipc_ds": // has times, of which IPC_SET takes none
		for _, view := range []string{"atEntry", "atExit"} {
			if content, ok := document[view].(map[string]any); ok {
				delete(content, "bytes")
			}
		}
	}
	return document
}

// isAddress tells whether an argument that is sometimes a number is an address.
func isAddress(name string, value any) bool {
	switch name {
	case "arg", "first", "second", "third", "fifth":
		digits, ok := value.(json.Number)
		return ok && (number(digits) > 1<<20 || number(digits) < 0)
	}
	return false
}

func TestSameTakesOutWhatVaries(t *testing.T) {
	got := same(decode[map[string]any](t, []byte(`{"timestamp": 1, "eventName": "msgsnd", "arg": {"msqid": 3, "msgsz": 5},
		"args": [{"name": "msqid", "value": 3}, {"name": "msgp", "value": "0x7f"}], "object": {"id": 3, "key": 9}, "ancestors": [{"processName": "make"}]}`)))
	want := decode[map[string]any](t, []byte(`{"eventName": "msgsnd", "arg": {"msgsz": 5},
		"args": [{"name": "msqid"}, {"name": "msgp", "value": "an address"}], "object": {"key": 9}}`))
	if dump(got) != dump(want) {
		t.Errorf("%s\nwant %s", dump(got), dump(want))
	}
}
