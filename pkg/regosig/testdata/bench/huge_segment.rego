# METADATA
# title: Huge segment created
# custom:
#   id: BENCH-02
#   severity: low
#   events: [shmget]
package bench.huge_segment

limit := 17179869184

match if {
	"IPC_CREAT" in input.flags
	input.arg.size > limit
}

evidence["bytes"] := input.arg.size

evidence["error"] := input.error
