# METADATA
# title: Polling in a busy loop with IPC_NOWAIT
# description: |
#   One thread asked the same queue or semaphore set thousands of times, without
#   waiting, for what was not there, for seconds on end. Programs that have
#   something to wait for let the kernel wake them. A loop like this is trying to
#   hit a moment: the window of a race, or the bits of a covert channel that
#   another process sends by taking and leaving a semaphore; or it is a bug that
#   keeps a CPU busy. A single call with IPC_NOWAIT means nothing.
# related_resources:
#   - ref: https://cwe.mitre.org/data/definitions/362.html
#     description: Concurrent use of a shared resource without synchronization
#   - ref: https://attack.mitre.org/techniques/T1559/
#     description: Inter-process communication
#   - ref: https://man7.org/linux/man-pages/man2/semop.2.html
#     description: IPC_NOWAIT and EAGAIN
# custom:
#   id: IPCW-014
#   severity: medium
#   events: [msgsnd, msgrcv, semop, semtimedop]
#   attack: [T1559]
#   tags: [CWE-362]
#   correlation:
#     type: event_count
#     group_by: [hostThreadId, object.kind, object.id]
#     timespan: 3s
#     condition: {gte: 3000}
#   false_positives:
#     - Programs that poll by design, such as spin locks on semaphores in old databases; suppress them by executable.
#     - Stress tests such as stress-ng; suppress them on test hosts.
package ipcwarden.nowait_spin

match if {
	"IPC_NOWAIT" in input.flags
	input.error in {"EAGAIN", "ENOMSG"}
}
