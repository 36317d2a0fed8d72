# METADATA
# title: Lock refused, and then broken
# description: |
#   A process was refused a semaphore, for it did not want to wait or had waited long
#   enough, and within a second set the semaphores of the same set to other values,
#   or removed the set, without having got the lock. Then two work at once on what
#   the lock protects: that is how a race is won by force. A refusal alone means
#   nothing. Programs that break stale locks of their own look the same.
# related_resources:
#   - ref: https://cwe.mitre.org/data/definitions/667.html
#     description: Improper locking
#   - ref: https://cwe.mitre.org/data/definitions/362.html
#     description: Concurrent use of a shared resource without synchronization
#   - ref: https://man7.org/linux/man-pages/man2/semctl.2.html
#     description: SETVAL, SETALL and IPC_RMID
# custom:
#   id: IPCW-045
#   enabled: false
#   severity: low
#   events: [semop, semtimedop, semctl]
#   attack: [T1565.003]
#   tags: [CWE-362, CWE-667]
#   correlation:
#     type: temporal_ordered
#     group_by: [hostProcessId, object.namespace, object.id]
#     timespan: 1s
#     steps: [refused, broken]
#     until: acquired
#   false_positives:
#     - Recovery of a lock whose holder has crashed, after a timeout; suppress it by executable.
#     - Programs that set free by SETVAL what they poll for; the signature is off by default for their sake.
#     - Tests that try to take a semaphore and reset it.
package ipcwarden.lock_broken

import data.ipcwarden.call
import data.ipcwarden.operations

refused if {
	input.eventName in {"semop", "semtimedop"}
	input.error == "EAGAIN"
	takes
}

acquired if {
	input.eventName in {"semop", "semtimedop"}
	call.succeeded
	takes
}

broken if {
	input.command in {"SETVAL", "SETALL", "IPC_RMID"}
	call.succeeded
}

# One of the operations wants to take something.
takes if {
	some operation in operations.at_entry
	operation.sem_op < 0
}

evidence["command"] := input.command if input.command
