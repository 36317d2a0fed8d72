// Package ebpf holds the BPF program: its C source, and the object that make
// builds from it, which works on every kernel that the probe supports.
package ebpf
