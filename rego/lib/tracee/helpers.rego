# METADATA
# description: |
#   The functions that Tracee's signatures import, with the same answers.
package tracee.helpers

# The value of the argument called name; undefined if the event has none.
get_tracee_argument(name) := input.args[i].value if input.args[i].name == name

# flags is a text of open(2) flags such as "O_RDWR|O_CREAT".
is_file_write(flags) if names_any(flags, {"o_wronly", "o_rdwr"})

else := false

is_file_read(flags) if names_any(flags, {"o_rdonly", "o_rdwr"})

else := false

# string is the start of a file in base64.
is_elf_file(string) if lower(substring(base64.decode(string), 1, 3)) == "elf"

else := false

names_any(flags, wanted) if {
	some flag in wanted
	contains(lower(flags), flag)
}
