# METADATA
# title: Went on after a lock was refused
# description: |
#   A thread tried to take a semaphore without waiting, was refused with EAGAIN,
#   and attached shared memory all the same, without having taken any semaphore in
#   between. Either it ignores the error, and works on memory that somebody else
#   is changing (CWE-667), or it is racing for the moment between check and use.
#   What it then does to the memory no system call tells.
# related_resources:
#   - ref: https://cwe.mitre.org/data/definitions/667.html
#     description: Improper locking
#   - ref: https://cwe.mitre.org/data/definitions/362.html
#     description: Concurrent use of a shared resource without synchronization
#   - ref: https://man7.org/linux/man-pages/man2/semop.2.html
#     description: IPC_NOWAIT and EAGAIN
# custom:
#   id: IPCW-013
#   severity: low
#   events: [semop, semtimedop, shmat]
#   attack: [T1559]
#   tags: [CWE-362, CWE-667]
#   correlation:
#     type: temporal_ordered
#     group_by: [hostThreadId]
#     timespan: 100ms
#     steps: [refused, acted]
#     until: acquired
#   false_positives:
#     - A program that tries a lock and falls back to memory that the lock does not protect; suppress it by executable.
#     - Counting semaphores that ration something else than access, such as free slots.
package ipcwarden.acted_without_lock

import data.ipcwarden.call
import data.ipcwarden.operations

refused if {
	input.eventName in {"semop", "semtimedop"}
	input.error == "EAGAIN"
	"IPC_NOWAIT" in input.flags
	takes
}

acquired if {
	input.eventName in {"semop", "semtimedop"}
	call.succeeded
	takes
}

acted if {
	input.eventName == "shmat"
	call.succeeded
}

# One of the operations wants to take something.
takes if {
	some operation in operations.at_entry
	operation.sem_op < 0
}

evidence["segment"] := input.arg.shmid
