# METADATA
# description: Numbers as people read them, and texts as the numbers that they stand for.
package ipcwarden.number

# METADATA
# description: Permission bits the way ls and ipcs print them, 438 as `0666`.
octal(mode) := sprintf("%04o", [bits.and(mode, 511)])

# METADATA
# description: A key the way ipcs prints it, `0x0000002a`, and `IPC_PRIVATE` for 0.
# scope: document
key(number) := sprintf("0x%08x", [bits.and(number, 4294967295)]) if number != 0

key(0) := "IPC_PRIVATE"

# METADATA
# description: A number that is not negative the way documents write addresses, 4096 as `0x1000`.
hexadecimal(number) := sprintf("0x%x", [number])

# METADATA
# description: |
#   The number that an address stands for, 4096 for `0x1000`. Addresses are texts since a
#   JSON reader may round a number of 64 bits; Rego's do not.
address(text) := sum([value |
	some place, digit in array.reverse(split(substring(text, 2, -1), ""))
	value := bits.lsh(indexof("0123456789abcdef", digit), 4 * place)
])
