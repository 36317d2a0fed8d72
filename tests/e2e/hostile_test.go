package e2e

import (
	"strings"
	"testing"
)

// TestHostile looks at the calls whose pointers lead nowhere: what cannot be
// read is reported as such, and that the program went on to its end shows that
// looking did no harm. TestCalls compares the rest of these events.
func TestHostile(t *testing.T) {
	for _, v := range variants {
		t.Run(v.name, func(t *testing.T) {
			r := watchCalls(t, v)
			states := map[string]int{}
			i := -1
			for _, s := range r.said {
				if s.Event == "ipc" {
					continue
				}
				if i++; i == len(r.decoded) {
					t.Fatalf("no event for %s", s)
				}
				if !strings.HasPrefix(s.Form, "hostile: ") || s.errorName() != "EFAULT" {
					continue
				}
				for _, p := range s.Memory {
					if uint64(len(p.memory())) >= p.Length {
						continue // it is another pointer that leads nowhere
					}
					want := "cut"
					if len(p.memory()) == 0 {
						want = "unreadable"
					}
					states[want]++
					region := r.decoded[i].region(p.Arg)
					if region == nil || region.best() == nil || region.best().State != want {
						t.Errorf("%s: memory[%s] is %s, want state %s", s, p.Arg, dump(region), want)
					}
				}
			}
			if states["unreadable"] < 15 || states["cut"] < 2 {
				t.Errorf("too few hostile pointers: %v", states)
			}
		})
	}
}
