# METADATA
# description: |
#   Numbers as the document writes them.
package ipcwarden.number

# Permission bits the way ls and ipcs print them: 438 is "0666".
octal(mode) := sprintf("%04o", [bits.and(mode, 511)])

# The number that a text such as "0x7f00" stands for. Addresses are texts since
# a JSON reader may round a number of 64 bits; Rego's do not.
address(text) := sum([value |
	some place, digit in array.reverse(split(substring(text, 2, -1), ""))
	value := bits.lsh(indexof("0123456789abcdef", digit), 4 * place)
])
