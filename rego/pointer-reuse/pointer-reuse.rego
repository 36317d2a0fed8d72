# METADATA
# title: One buffer in two calls at once, one of them writing
# description: |
#   Two threads were in the kernel at the same time with the same memory, and what
#   was in it changed, or one of the calls writes to it: a message is received
#   into the buffer from which another one is being sent. What the reading call
#   takes depends on who is faster. That is how an attacker exchanges input
#   behind the back of a monitor with system calls alone, and as a mistake it
#   mixes up or leaks messages. Memory that calls only read, such as a constant
#   set of operations, is no reason.
# related_resources:
#   - ref: https://cwe.mitre.org/data/definitions/362.html
#     description: Concurrent use of a shared resource without synchronization
#   - ref: https://www.usenix.org/legacy/event/woot07/tech/full_papers/watson/watson.pdf
#     description: Watson, Exploiting Concurrency Vulnerabilities in System Call Wrappers
#   - ref: https://man7.org/linux/man-pages/man2/msgop.2.html
#     description: What msgsnd reads and msgrcv writes
# custom:
#   id: IPCW-009
#   severity: high
#   events: [msgsnd, msgrcv, msgctl, semop, semtimedop, semctl, shmctl]
#   attack: [T1562.006]
#   tags: [CWE-362]
#   false_positives:
#     - A program with such a mistake behaves like an attack; report it to its authors, and suppress it by executable until then.
#     - Stress tests such as stress-ng may share buffers; suppress them on test hosts.
package ipcwarden.pointer_reuse

match if {
	input.overlaps
	reasons[_]
}

reasons contains "the other call writes" if {
	some other in input.overlaps
	other.writes
}

reasons contains "this call writes" if {
	count(input.overlaps) > 0
	some region in input.memory
	region.written
}

reasons contains "the input changed" if {
	count(input.overlaps) > 0
	some region in input.memory
	region.changed
	not region.written
}

evidence["reasons"] := reasons

evidence["memory"] := [{"arg": region.arg, "address": region.address, "length": region.length} |
	some region in input.memory
]

evidence["calls"] := [call |
	some other in input.overlaps
	call := {
		"process": other.hostProcessId,
		"thread": other.hostThreadId,
		"event": other.eventName,
		"address": other.address,
		"length": other.length,
		"writes": other.writes,
	}
]

evidence["callsOmitted"] := input.overlapsOmitted
