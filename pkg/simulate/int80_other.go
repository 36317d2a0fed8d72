//go:build !amd64

package simulate

import "errors"

// lowMemory would have mmap return addresses that fit into 32 bits.
const lowMemory = 0

func int80(_, _, _, _, _, _, _ uint32) uint32 { panic("no int 0x80 on this architecture") }

func serves32() error { return errors.New("64-bit programs reach 32-bit calls on x86-64 only") }
