# METADATA
# title: All semaphores of another user's set written
# custom:
#   id: BENCH-03
#   severity: medium
#   events: [semctl]
package bench.semaphores_reset

match if {
	input.command in {"SETALL", "SETVAL"}
	input.object.ownerUid != input.effectiveUserId
	not input.error
}

evidence["set"] := input.object.id

evidence["command"] := input.command
