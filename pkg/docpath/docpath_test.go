package docpath

import (
	"strings"
	"testing"

	"github.com/ipcwarden/ipcwarden/pkg/event"
)

func TestValue(t *testing.T) {
	e := event.Event{ID: event.Msgget, Args: [event.MaxArgs]uint64{5, 0o1666}, Return: 3}
	e.Object = event.Object{Kind: event.MessageQueue, ID: 3, Key: 5}
	e.Process.Comm = "evil\n"
	var with, without event.Document
	e.Document(&with)
	(&event.Event{ID: event.Shmdt}).Document(&without)
	for path, want := range map[string]any{
		"processName": "evil\n", "object.key": int32(5), "arg.key": int64(5), "object.kind": "msg", "returnValue": int64(3),
		"executable.path": "", "container.image": "", "object.qnum": uint64(0), "arg.shmid": nil, "error": nil, "ipc.call": nil,
	} {
		p, err := Parse(path)
		if err != nil {
			t.Errorf("%s: %v", path, err)
			continue
		}
		if got, present := p.Value(&with); got != want || present != (want != nil) || p.String() != path {
			t.Errorf("%s is %v of type %T (%t), want %v of type %T", p, got, got, present, want, want)
		}
	}
	p, err := Parse("object.key")
	if err != nil {
		t.Fatal(err)
	}
	if got, present := p.Value(&without); present {
		t.Errorf("an event without object has key %v", got)
	}
}

func TestParseErrors(t *testing.T) {
	for path, near := range map[string]string{
		"proces_name": "processName", "object.kye": "object.key", "arg.msgflag": "arg.msgflg", "object": "object.id", "flags": "", "": "",
		"object.key.x": "object.key", "executable.pat": "executable.path", "memory": "", "Object.Key": "object.key",
	} {
		if _, err := Parse(path); err == nil || !strings.Contains(err.Error(), "the nearest is "+near) {
			t.Errorf("%q: error %v", path, err)
		}
	}
}
