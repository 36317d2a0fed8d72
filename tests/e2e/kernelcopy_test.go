package e2e

import "testing"

// TestKernelCopy wants the kernel's own copy of each call that has one, wherever
// the doctor says that it is watched, and elsewhere that of each message, which the
// program leaves in its queue for long enough. That it is the right one compare tells.
func TestKernelCopy(t *testing.T) {
	for _, v := range variants {
		t.Run(v.name, func(t *testing.T) {
			r := watchCalls(t, v)
			watched := watchesKernel(t)
			copies, objects := 0, 0
			for _, d := range r.decoded {
				if o := d.Object; o["inKernel"] != nil {
					objects++
					if id := o["inKernel"].(map[string]any)["id"]; id != nil && d.Error == nil && id != o["id"] {
						t.Errorf("%s acted on object %v, the kernel on %v", d.EventName, o["id"], id)
					}
				}
				memory := d.region(inputOf[d.EventName])
				if memory != nil && memory.InKernel != nil {
					copies++
				}
				if d.Error != nil || memory == nil {
					continue
				}
				source, want := "none", "none"
				if memory.InKernel != nil {
					source = memory.InKernel.Source
				}
				switch {
				case memory.Type == "semun" || memory.Written:
				case watched:
					want = "function"
				case d.EventName == "msgsnd":
					want = "kmalloc"
				}
				if source != want {
					t.Errorf("%s %s: source of the kernel's copy is %s, want %s", d.EventName, d.commandName(), source, want)
				}
			}
			if watched && (copies < 20 || objects < 50) {
				t.Errorf("only %d copies of memory and %d objects", copies, objects)
			}
		})
	}
}

// inputOf is the argument that leads to what the kernel copies.
var inputOf = map[string]string{
	"msgsnd": "msgp", "semop": "sops", "semtimedop": "sops", "msgctl": "buf", "semctl": "arg", "shmctl": "buf",
}

func watchesKernel(t *testing.T) bool {
	t.Helper()
	d, err := diagnose()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range d.Checks {
		if c.Name == "kernel copy" {
			return c.Status == "ok"
		}
	}
	t.Fatal("the doctor says nothing of the kernel copy")
	return false
}
