package regosig

import (
	"crypto/sha256"
	"fmt"
)

// Fingerprint is the same for sources with the same files, and for sources that
// cannot be read for the same reason.
func Fingerprint(sources ...Source) string {
	hash := sha256.New()
	var ps problems
	for _, source := range sources {
		if source.builtin {
			continue // it cannot change
		}
		for _, f := range source.read(&ps) {
			fmt.Fprintf(hash, "%q %q\n", f.name, f.text)
		}
	}
	for _, problem := range ps.list {
		fmt.Fprintf(hash, "%+v\n", problem)
	}
	return string(hash.Sum(nil))
}
