# METADATA
# title: Many semaphore operations at once, to be undone
# custom:
#   id: BENCH-06
#   severity: low
#   events: [semop, semtimedop]
package bench.many_operations

most := 400

match if {
	input.arg.nsops > most
	"SEM_UNDO" in input.flags
}

evidence["operations"] := input.arg.nsops
