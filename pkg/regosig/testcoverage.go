package regosig

import (
	"maps"
	"slices"
	"strings"

	"github.com/open-policy-agent/opa/v1/cover"
)

// FileCoverage is how much of a file the tests evaluated.
type FileCoverage struct {
	File      string      `json:"file"`
	Percent   float64     `json:"percent"` // of the lines with expressions
	Uncovered []LineRange `json:"uncovered"`

	lines, covered int
}

// LineRange is lines of a file, both ends included.
type LineRange struct {
	Start int `json:"start"`
	End   int `json:"end"`
}

// TotalCoverage is the percentage over all files.
func (r *TestReport) TotalCoverage() float64 {
	covered, all := 0, 0
	for _, f := range r.Coverage {
		covered, all = covered+f.covered, all+f.lines
	}
	return percent(covered, all)
}

func percent(part, whole int) float64 {
	if whole == 0 {
		return 100
	}
	return 100 * float64(part) / float64(whole)
}

// lineSets has lines for each file.
type lineSets map[string]map[int]bool

func (l lineSets) add(file string, ranges ...cover.Range) {
	if l[file] == nil {
		l[file] = map[int]bool{}
	}
	for _, r := range ranges {
		for line := r.Start.Row; line <= r.End.Row; line++ {
			l[file][line] = true
		}
	}
}

// coverage merges what the groups covered. What OPA's index or an early exit
// spared the evaluation of counts as covered: neither changes an outcome.
func (r *testRun) coverage() []FileCoverage {
	covered, uncovered := lineSets{}, lineSets{}
	for _, run := range r.cover {
		for name, f := range run.tracer.Report(run.modules).Files {
			if strings.HasSuffix(name, testSuffix) || !r.ofInterest(name) {
				continue
			}
			missing := lineSets{}
			missing.add(name)
			covered.add(name, f.Covered...)
			for _, rng := range f.NotCovered {
				if len(rng.Kinds) > 0 {
					covered.add(name, rng)
				} else {
					missing.add(name, rng)
				}
			}
			if uncovered[name] == nil {
				uncovered[name] = missing[name]
				continue
			}
			// What one group of tests misses, another may reach.
			maps.DeleteFunc(uncovered[name], func(line int, _ bool) bool { return !missing[name][line] })
		}
	}
	var list []FileCoverage
	for _, name := range slices.Sorted(maps.Keys(uncovered)) {
		f := FileCoverage{File: name, Uncovered: ranges(slices.Sorted(maps.Keys(uncovered[name])))}
		all := maps.Clone(uncovered[name])
		maps.Copy(all, covered[name])
		f.lines, f.covered = len(all), len(all)-len(uncovered[name])
		f.Percent = percent(f.covered, f.lines)
		list = append(list, f)
	}
	return list
}

// ofInterest leaves out the libraries that nobody asked to test.
func (r *testRun) ofInterest(name string) bool {
	if len(r.Paths) == 0 {
		return true
	}
	return !slices.ContainsFunc(r.loader.modules, func(m *module) bool { return m.name == name && m.builtin })
}

func ranges(lines []int) []LineRange {
	list := []LineRange{}
	for _, line := range lines {
		if n := len(list); n > 0 && list[n-1].End+1 == line {
			list[n-1].End = line
			continue
		}
		list = append(list, LineRange{line, line})
	}
	return list
}
