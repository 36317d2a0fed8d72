package regosig

import (
	"errors"
	"io/fs"
	"os"
	"strings"
	"testing"

	"github.com/ipcwarden/ipcwarden/pkg/event"
	"github.com/ipcwarden/ipcwarden/rego"
)

// FuzzLoad holds Load to its promise for any file: a set, or a *LoadError of
// printable lines, and never a panic. What loads must evaluate without one too.
func FuzzLoad(f *testing.F) {
	for _, tree := range []fs.FS{rego.FS, rego.Library, os.DirFS("testdata/tracee")} {
		err := fs.WalkDir(tree, ".", func(name string, entry fs.DirEntry, err error) error {
			if err != nil || entry.IsDir() {
				return err
			}
			text, err := fs.ReadFile(tree, name)
			f.Add(text)
			return err
		})
		if err != nil {
			f.Fatal(err)
		}
	}
	f.Add([]byte("# METADATA\n# custom: {id: [\npackage a\nmatch { x }"))
	f.Add([]byte("package tracee.a\n__rego_metadoc__ := input\ntracee_selected_events := {1}\ntracee_match := 1"))
	f.Add([]byte(header("A") + "package a\nmatch if data[input.via][x] == {y | y := x}"))
	f.Add([]byte(correlating("{type: event_count, group_by: [object.id, arg.msgsz], timespan: 1s, condition: {gte: 5}}", "match if true")))
	f.Add([]byte(correlating("{type: temporal_ordered, steps: [first, second], until: third, timespan: 9d}", twoSteps+"third if input.via == \"ipc\"")))
	f.Add([]byte(correlating("{type: value_count, field: userId, timespan: 1x, condition: [1]}", "match if true")))
	f.Fuzz(func(t *testing.T, text []byte) {
		set, err := Load(tree("a.rego", string(text)))
		var loadError *LoadError
		switch {
		case err == nil:
			for _, s := range set.Signatures() {
				_, _ = match(t.Context(), s, sample(event.Msgsnd))
			}
		case !errors.As(err, &loadError) || len(loadError.Problems) == 0:
			t.Errorf("error %#v", err)
		default:
			for _, p := range loadError.Problems {
				if strings.ContainsFunc(p.String(), unprintable) {
					t.Errorf("unprintable problem %q", p.String())
				}
			}
		}
	})
}
