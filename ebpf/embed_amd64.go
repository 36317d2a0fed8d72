package ebpf

import _ "embed"

// Object is the compiled BPF object for the architecture of the binary.
//
//go:embed ipcwarden_amd64.bpf.o
var Object []byte
