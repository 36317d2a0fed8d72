package main

import (
	"fmt"
	"slices"
	"strings"
)

// The ways in which ipcwarden attaches, in the order of the table's columns.
var allHooks = []string{"fentry", "kprobe", "tracepoint"}

// kernel is one row of the matrix.
type kernel struct {
	name string
	// suites are Debian suites to take linux-image-amd64 from. apt takes the newest
	// of what it finds; one that the site no longer has is passed over.
	suites []string
	// hooks are those that must attach. None means: ask the doctor.
	hooks []string
	// live is set for the kernel that runs this program: there is no machine to boot.
	live bool
	// image is a file to boot instead of Debian's.
	image string
}

// matrix is what ipcwarden is tested with: the oldest kernel that Debian still
// maintains, those of its releases, and the newest that there is.
var matrix = []kernel{
	{name: "host", live: true},
	// fentry has no typed prototype in the type information of 5.10.
	{name: "5.10", suites: []string{"bullseye", "bullseye-security"}, hooks: []string{"kprobe", "tracepoint"}},
	{name: "6.1", suites: []string{"bookworm", "bookworm-security"}, hooks: allHooks},
	{name: "6.12", suites: []string{"trixie", "trixie-security", "bookworm-backports"}, hooks: allHooks},
	{name: "sid", suites: []string{"sid"}, hooks: allHooks},
}

// inMachine says whether the kernel is one of Debian's: those have expectations
// that do not depend on where the matrix is run.
func (k kernel) inMachine() bool { return len(k.suites) > 0 }

// selectKernels returns the named kernels in the order of the matrix.
func selectKernels(names, image string) ([]kernel, error) {
	if image != "" {
		return []kernel{{name: "custom", image: image, hooks: allHooks}}, nil
	}
	if names == "" {
		return matrix, nil
	}
	wanted, err := list("kernel", names, kernelNames())
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(slices.Clone(matrix), func(k kernel) bool {
		return !slices.Contains(wanted, k.name)
	}), nil
}

func kernelNames() (names []string) {
	for _, k := range matrix {
		names = append(names, k.name)
	}
	return names
}

// selectHooks returns those of a kernel's hooks that are named; "" names all.
func selectHooks(hooks []string, names string) ([]string, error) {
	if names == "" {
		return hooks, nil
	}
	wanted, err := list("hook", names, allHooks)
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(slices.Clone(hooks), func(h string) bool {
		return !slices.Contains(wanted, h)
	}), nil
}

// list splits a flag's value at commas and refuses what is not among known.
func list(what, value string, known []string) ([]string, error) {
	names := strings.Split(value, ",")
	for i, name := range names {
		names[i] = strings.TrimSpace(name)
		if !slices.Contains(known, names[i]) {
			return nil, fmt.Errorf("no %s %q: there are %s", what, names[i], strings.Join(known, ", "))
		}
	}
	return names, nil
}
