# METADATA
# title: Queue filled up by a user
# custom:
#   id: BENCH-01
#   severity: low
#   events: [msgsnd]
package bench.full_queue

match if {
	"IPC_NOWAIT" in input.flags
	input.error == "EAGAIN"
	input.effectiveUserId >= 1000
	input.object.ownerUid < 1000
}

evidence["queue"] := input.object.id

evidence["bytes"] := input.object.cbytes

evidence["capacity"] := input.object.qbytes
