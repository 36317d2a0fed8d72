// Package nearest finds the name that somebody probably meant.
package nearest

import (
	"strings"

	"github.com/agnivade/levenshtein"
)

// Name is the name that needs the fewest edits to become the misspelt one, the
// first of several, however many that are; "" if there are no names.
func Name(misspelt string, names []string) string {
	best, distance := "", 0
	for _, name := range names {
		if d := levenshtein.ComputeDistance(misspelt, name); best == "" || d < distance {
			best, distance = name, d
		}
	}
	return best
}

// Guess is the nearest name that is near enough to have been meant, or "". The
// case of letters does not count, and a beginning is as good as the whole.
func Guess(misspelt string, names []string) string {
	best := ""
	least := len(misspelt)/2 + 1 // farther away it is another word
	for _, name := range names {
		distance := levenshtein.ComputeDistance(strings.ToLower(misspelt), strings.ToLower(name))
		if misspelt != "" && strings.HasPrefix(name, misspelt) {
			distance = 0
		}
		if distance < least {
			best, least = name, distance
		}
	}
	return best
}

// Distance is how many edits make one name of the other.
func Distance(a, b string) int { return levenshtein.ComputeDistance(a, b) }
