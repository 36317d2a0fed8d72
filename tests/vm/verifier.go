package main

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strconv"
	"strings"
)

// verifierFile has, for each kernel, how many instructions its verifier looked at
// before it accepted each program: how far a program is from being refused.
const verifierFile = "tests/vm/verifier.tsv"

const verifierHead = "kernel\thook\tprogram\tinstructions"

// programCount is one row.
type programCount struct {
	Kernel       string
	Hook         string
	Program      string
	Instructions int
}

func (p programCount) compare(o programCount) int {
	return cmp.Or(cmp.Compare(p.Kernel, o.Kernel), cmp.Compare(p.Hook, o.Hook), cmp.Compare(p.Program, o.Program))
}

func (p programCount) String() string {
	return fmt.Sprintf("%s\t%s\t%s\t%d", p.Kernel, p.Hook, p.Program, p.Instructions)
}

// readCounts reads the committed file, which may not exist yet.
func readCounts(file string) (rows []programCount, err error) {
	content, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return parseCounts(string(content))
}

func parseCounts(content string) (rows []programCount, err error) {
	for line := range strings.Lines(content) {
		line = strings.TrimRight(line, "\n")
		if line == verifierHead {
			continue
		}
		f := strings.Split(line, "\t")
		if len(f) != 4 {
			return nil, fmt.Errorf("%q has not the four columns %q", line, verifierHead)
		}
		count, err := strconv.Atoi(f[3])
		if err != nil {
			return nil, fmt.Errorf("the count in %q: %w", line, err)
		}
		rows = append(rows, programCount{Kernel: f[0], Hook: f[1], Program: f[2], Instructions: count})
	}
	return rows, nil
}

func formatCounts(rows []programCount) []byte {
	var b bytes.Buffer
	fmt.Fprintln(&b, verifierHead)
	for _, row := range slices.SortedFunc(slices.Values(rows), programCount.compare) {
		fmt.Fprintln(&b, row)
	}
	return b.Bytes()
}

// mergeCounts replaces the rows of the kernels that counted this time.
func mergeCounts(old []programCount, results []*result) (merged []programCount) {
	counted := map[string]bool{}
	for _, r := range results {
		if !r.every || r.programs == nil {
			continue
		}
		counted[r.Kernel] = true
		for _, p := range r.programs {
			p.Kernel = r.Kernel
			merged = append(merged, p)
		}
	}
	for _, row := range old {
		if !counted[row.Kernel] {
			merged = append(merged, row)
		}
	}
	return slices.SortedFunc(slices.Values(merged), programCount.compare)
}

// countChanges says what differs between two versions of the file.
func countChanges(old, merged []programCount) (changes []string) {
	was := map[programCount]int{}
	for _, row := range old {
		was[row.key()] = row.Instructions
	}
	for _, row := range merged {
		before, ok := was[row.key()]
		delete(was, row.key())
		switch {
		case !ok:
			changes = append(changes, fmt.Sprintf("%s %s %s: %d, new", row.Kernel, row.Hook, row.Program, row.Instructions))
		case before != row.Instructions:
			changes = append(changes, fmt.Sprintf("%s %s %s: %d, was %d (%+.1f %%)", row.Kernel, row.Hook, row.Program,
				row.Instructions, before, 100*float64(row.Instructions-before)/float64(max(before, 1))))
		}
	}
	for _, row := range old {
		if _, gone := was[row.key()]; gone {
			changes = append(changes, fmt.Sprintf("%s %s %s: gone, was %d", row.Kernel, row.Hook, row.Program, row.Instructions))
		}
	}
	return changes
}

func (p programCount) key() programCount {
	p.Instructions = 0
	return p
}
