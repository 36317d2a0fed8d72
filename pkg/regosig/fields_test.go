package regosig

import (
	"fmt"
	"testing"

	"github.com/ipcwarden/ipcwarden/pkg/detect"
	"github.com/ipcwarden/ipcwarden/pkg/event"
	"github.com/ipcwarden/ipcwarden/pkg/regosig/plan"
)

// TestFieldsAgree reads every field that plans can, and compares with the
// document.
func TestFieldsAgree(t *testing.T) {
	var in detect.Input
	for seed := range uint64(3000) {
		e := randomEvent(seed)
		in.Reset(e)
		var d event.Document
		e.Document(&d)
		v := viewOf(&in)
		compareNode(t, fmt.Sprintf("seed %d: input", seed), inputNode, v, convertDocument(&d))
		if t.Failed() {
			return
		}
	}
}

func compareNode(t *testing.T, path string, node *plan.Node, v *view, want plan.Value) {
	t.Helper()
	if node.Len != nil {
		for i := range node.Len(v) {
			compareNode(t, fmt.Sprintf("%s[%d]", path, i), node.Elements[i], v, want.Get(plan.Int(int64(i))))
		}
		if i := node.Len(v); want.Get(plan.Int(int64(i))).Defined() {
			t.Errorf("%s has only %d elements", path, i)
		}
	}
	known := 0
	for name, member := range node.Members {
		wanted := want.Get(plan.String(name))
		if wanted.Defined() {
			known++
		}
		var got plan.Value
		if member.Read != nil {
			if got = member.Read(v); got.Defined() != wanted.Defined() {
				t.Errorf("%s.%s: got %v, want %v", path, name, got, wanted)
			}
		}
		switch {
		case member.Node != nil && wanted.Defined() && !got.Defined() || plan.Equal(got, plan.Null):
			compareNode(t, path+"."+name, member.Node, v, wanted)
		case wanted.Defined() && !plan.Equal(got, wanted):
			t.Errorf("%s.%s: got %v, want %v", path, name, got, wanted)
		}
	}
	if n := want.Len(); node.Members != nil && n != known {
		t.Errorf("%s: %d of %d members are known: %v", path, known, n, want)
	}
	if got := node.Whole(v); !plan.Equal(got, want) {
		t.Errorf("%s: got %v, want %v", path, got, want)
	}
}
