# METADATA
# title: Queue enlarged beyond the system's limit
# custom:
#   id: BENCH-05
#   severity: medium
#   events: [msgctl]
package bench.queue_enlarged

match if {
	input.command == "IPC_SET"
	some region in input.memory
	region.atEntry.qbytes > 65536
}

evidence["capacity"] := input.object.qbytes
