// Package ebpf holds the BPF program: its C source, and the object that make
// builds from it, which works on every kernel that the probe supports.
package ebpf

import _ "embed"

// Object is the compiled BPF object for the architecture of the binary.
//
//go:embed ipcwarden.bpf.o
var Object []byte
