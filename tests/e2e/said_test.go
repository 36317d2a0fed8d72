package e2e

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"testing"
)

// said is what a program says about one call that it made; see programs/say.c.
type said struct {
	Seq    int
	Form   string
	Event  string
	Args   []argument
	Ret    json.Number
	Error  *string
	Memory []piece
	Object *json.RawMessage // absent if the program cannot know, null if there is none
	IPC    *saidIPC
}

// saidIPC is the call of ipc(2) itself. Args are missing if the C library made it.
type saidIPC struct {
	Call, Version uint16
	Ret           json.Number
	Args          []argument
}

// piece is user memory that the call leads to. Bytes are those that can be read.
type piece struct {
	Arg     string
	Type    string
	Address string
	Length  uint64 // bytes that the call asks for; 0 if that is no sane number
	Filled  uint64 // how many of them the kernel used: less for a short message
	Written bool   // by the kernel, if the call succeeds
	content
}

func (s said) String() string { return fmt.Sprintf("%q (call %d, %s)", s.Form, s.Seq, s.Event) }

func (s said) errorName() string {
	if s.Error == nil {
		return ""
	}
	return *s.Error
}

// memory returns the readable bytes of a piece.
func (p piece) memory() []byte {
	b, err := hex.DecodeString(p.Bytes)
	if err != nil {
		panic(err) // programs/say.c writes pairs of hexadecimal digits
	}
	return b
}

func parseSaid(t *testing.T, stdout []byte) []said {
	t.Helper()
	var all []said
	for line := range bytes.Lines(stdout) {
		s := decode[said](t, line)
		// A null object has to be told from an absent one.
		var fields map[string]json.RawMessage
		if err := json.Unmarshal(line, &fields); err != nil {
			t.Fatal(err)
		}
		if object, ok := fields["object"]; ok {
			s.Object = &object
		}
		all = append(all, s)
	}
	if len(all) == 0 {
		t.Fatal("the program said nothing")
	}
	return all
}
