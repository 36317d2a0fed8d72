#include "textflag.h"

// func int80(number, a, b, c, d, e, f uint32) uint32
TEXT ·int80(SB), NOSPLIT, $8-36
	MOVL number+0(FP), AX
	MOVL a+4(FP), BX
	MOVL b+8(FP), CX
	MOVL c+12(FP), DX
	MOVL d+16(FP), SI
	MOVL e+20(FP), DI
	MOVL f+24(FP), R12
	MOVQ BP, saved-8(SP)
	MOVL R12, BP // the sixth parameter
	INT  $0x80
	MOVQ saved-8(SP), BP
	MOVL AX, ret+32(FP)
	RET
