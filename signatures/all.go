// Package signatures has the built-in signatures that are written in Go, because in
// Rego they would be hard to express, or slow. Each lies in a file of its own, next to
// its test, and is listed in All.
//
// A signature is a [detect.Signature]: what it says of itself, and Match, which
// decides about one event. The example shows a whole one. What to hold to:
//
//   - Select as few kinds of events as possible in Metadata.Events; the signature
//     costs nothing on the others.
//   - Read the event itself, Input.Event, first. Input.Document is the JSON document
//     that Rego signatures see; making it takes a thousand times as long.
//   - Allocate nothing for events that do not match, and keep nothing of an event that
//     does: its memory is used again. Evidence is a copy, of what encoding/json can write.
//   - Decide about each event by itself, and only where all that is needed is known.
//     An error means that there is no verdict; it is counted and logged.
//   - Say in Wanted, a pushdown.Source, what the kernel can tell of the calls that it
//     is about: all others are not even sent.
//   - A signature may keep memory for its own use: each is evaluated by one goroutine.
package signatures

import (
	"cmp"
	"embed"
	"fmt"
	"slices"

	"github.com/ipcwarden/ipcwarden/pkg/detect"
)

// All makes every built-in Go signature anew, in the order of their ids. Those that
// are made by one call may be used by one goroutine at a time.
func All() []detect.Signature {
	return []detect.Signature{
		newImpossibleOperations(), // IPCW-030
	}
}

// AddTo returns others with the built-in Go signatures added, in the order of their
// ids. It is an error if one of the others has the id of one of these.
func AddTo(others []detect.Signature) ([]detect.Signature, error) {
	all := append(All(), others...)
	slices.SortStableFunc(all, func(a, b detect.Signature) int { return cmp.Compare(a.Metadata().ID, b.Metadata().ID) })
	for i := 1; i < len(all); i++ {
		if own, other := all[i-1].Metadata(), all[i].Metadata(); own.ID == other.ID {
			return nil, fmt.Errorf("%s: signature id %s is taken by %s", other.Source, other.ID, own.Source)
		}
	}
	return all, nil
}

// Files has the text of the files with signatures, for whoever wants to read what
// Metadata.Source names.
//
//go:embed impossible_operations.go
var Files embed.FS

// Prefix is what stands before the name of a file in Metadata.Source.
const Prefix = "builtin/signatures/"
