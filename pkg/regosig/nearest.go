package regosig

import "github.com/agnivade/levenshtein"

// nearest is the name that needs the fewest edits to become the misspelt one,
// the first of several; "" if there are no names.
func nearest(misspelt string, names []string) string {
	best, distance := "", 0
	for _, name := range names {
		if d := levenshtein.ComputeDistance(misspelt, name); best == "" || d < distance {
			best, distance = name, d
		}
	}
	return best
}
