package correlate

import (
	"fmt"
	"strings"
	"testing"

	"github.com/ipcwarden/ipcwarden/pkg/detect"
	"github.com/ipcwarden/ipcwarden/pkg/event"
)

// TestQuickFields compares what is read from the event with the document.
func TestQuickFields(t *testing.T) {
	var paths []string
	for path := range quickFields {
		paths = append(paths, path)
	}
	for _, row := range event.Rows() {
		for _, arg := range row.Args {
			paths = append(paths, "arg."+arg.Name)
		}
	}
	for _, row := range event.Rows() {
		for _, kind := range []event.Kind{event.NoKind, row.Kind} {
			e := &event.Event{ID: row.ID, Return: -5, Args: [event.MaxArgs]uint64{1, ^uint64(0), 3, 4, ^uint64(5), 6}}
			e.Process = event.Process{
				PID: 1, TID: 2, HostPID: 3, HostTID: 4, UID: 5, EUID: 6, PIDNamespace: 7, MountNamespace: 8, IPCNamespace: 9,
				Comm: "a\xff", Executable: "/b\xfe", ContainerID: "c",
			}
			e.Object = event.Object{Kind: kind, ID: -10, Key: 11}
			var in detect.Input
			in.Reset(e)
			for _, path := range paths {
				f, err := fieldOf(path)
				if err != nil || f.quick == nil {
					t.Fatalf("%s: %v, quick: %t", path, err, f.quick != nil)
				}
				got, present := f.append(nil, &in)
				want := f.value(in.Document())
				if present != (want != nil) || present && string(got) != fmt.Sprint(want) {
					t.Errorf("%s of %s: %q (%t), want %v", path, row.Name, got, present, want)
				}
			}
		}
	}
}

func TestFields(t *testing.T) {
	e := &event.Event{ID: event.Msgsnd, Return: -11, Object: event.Object{Kind: event.MessageQueue, CreatorUID: 5}}
	var in detect.Input
	in.Reset(e)
	for path, want := range map[string]string{
		"error": "EAGAIN", "object.creatorUid": "5", "object.qnum": "0", "object.nsems": "absent", "ipc.call": "absent",
		"unfinished": "absent", "contextFlags.isCompat": "false", "stalledNs": "absent", "arg.msqid": "0", "arg.shmid": "absent",
	} {
		f, err := fieldOf(path)
		if err != nil {
			t.Error(err)
			continue
		}
		got, present := f.append(nil, &in)
		if !present {
			got = []byte("absent")
		}
		if string(got) != want {
			t.Errorf("%s is %q, want %q", path, got, want)
		}
	}
	for _, path := range []string{"", "object", "objects.id", "object.id.x", "flags", "memory.arg", "args"} {
		if f, err := fieldOf(path); err == nil || !strings.Contains(err.Error(), path) {
			t.Errorf("%q: got %v and error %v", path, f, err)
		}
	}
}

// TestKeys wants no two groups to have the same key.
func TestKeys(t *testing.T) {
	var in detect.Input
	seen := map[string]string{}
	for _, texts := range [][2]string{{"ab", "c"}, {"a", "bc"}, {"", "abc"}, {"abc", ""}, {"\x01\x00\x01", ""}} {
		e := &event.Event{ID: event.Msgsnd}
		e.Process.Comm, e.Process.Executable = texts[0], texts[1]
		in.Reset(e)
		var key []byte
		for _, path := range []string{"processName", "executable.path", "object.id"} {
			f, err := fieldOf(path)
			if err != nil {
				t.Fatal(err)
			}
			key = f.appendKey(key, &in)
		}
		if other, taken := seen[string(key)]; taken {
			t.Errorf("%q and %q have the same key", texts, other)
		}
		seen[string(key)] = fmt.Sprint(texts)
	}
}
