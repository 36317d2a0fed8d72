package engine

import (
	"slices"
	"testing"

	"github.com/ipcwarden/ipcwarden/pkg/detect"
	"github.com/ipcwarden/ipcwarden/pkg/event"
	"github.com/ipcwarden/ipcwarden/pkg/pushdown"
)

// telling is a signature that says what it needs.
type telling struct {
	detect.Signature
	wanted pushdown.Set
}

func (t telling) Wanted() pushdown.Set { return t.wanted }

// TestWanted unites what signatures say, and all events of one that says nothing.
func TestWanted(t *testing.T) {
	copied := pushdown.Clause{Events: event.Of(event.Msgsnd, event.Semop), Tests: []pushdown.Test{pushdown.Copied.Test(true)}}
	tells := telling{&fake{detect.Metadata{ID: "A", Events: event.Of(event.Msgsnd, event.Semop)}, nil}, pushdown.Set{Clauses: []pushdown.Clause{copied}}}
	silent := &fake{detect.Metadata{ID: "B", Events: event.Of(event.Msgsnd, event.Shmdt)}, nil}
	for _, c := range []struct {
		signatures []detect.Signature
		want       []string
	}{
		{nil, nil},
		{[]detect.Signature{tells}, []string{"msgsnd, semop: time of the kernel's copy known"}},
		{[]detect.Signature{silent}, []string{"msgsnd, shmdt: any"}},
		{[]detect.Signature{tells, silent}, []string{
			"msgsnd, shmdt: any", "semop: time of the kernel's copy known", "semop: overlaps another call",
		}},
	} {
		set, err := NewSet(c.signatures)
		if err != nil {
			t.Fatal(err)
		}
		if got := set.Wanted().Words(); !slices.Equal(got, c.want) {
			t.Errorf("%d signatures want %q, not %q", len(c.signatures), got, c.want)
		}
	}
}
