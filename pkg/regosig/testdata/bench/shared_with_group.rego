# METADATA
# title: Object of a service opened up to its group
# custom:
#   id: BENCH-04
#   severity: low
#   events: [msgget, semget, shmget]
package bench.shared_with_group

group_write := 16

match if {
	input.object.created
	input.object.key != 0
	bits.and(input.object.mode, group_write) != 0
	input.object.ownerUid < 1000
}

evidence["key"] := input.object.key

evidence["mode"] := input.object.mode
