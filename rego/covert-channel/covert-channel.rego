# METADATA
# title: Object of another user worked in tiny steps
# description: |
#   Within ten seconds a process performed 256 and more operations that carry next to
#   nothing on one object of another user: it changed or read single semaphores, or
#   sent or received messages of at most eight bytes. What cannot be sent openly can
#   be told by the value of a semaphore, or by the time of a message, a few bits at
#   a time, past everything that looks at files and connections. Real locks that
#   users share look alike, which is why this is of low severity; polling for what is
#   refused (EAGAIN) does not count.
# related_resources:
#   - ref: https://attack.mitre.org/techniques/T1559/
#     description: Inter-process communication
#   - ref: https://cwe.mitre.org/data/definitions/514.html
#     description: Covert channel
#   - ref: https://cwe.mitre.org/data/definitions/385.html
#     description: Covert timing channel
# custom:
#   id: IPCW-042
#   severity: low
#   events: [msgsnd, msgrcv, semop, semtimedop, semctl]
#   attack: [T1559]
#   tags: [CWE-385, CWE-514]
#   correlation:
#     type: event_count
#     group_by: [hostProcessId, object.kind, object.id]
#     timespan: 10s
#     condition: {gte: 256}
#   false_positives:
#     - Locks and wake-up messages that services of several users share, as those of Oracle, Db2 and SAP do; suppress them by key.
package ipcwarden.covert_channel

import data.ipcwarden.call
import data.ipcwarden.caller

tiny := 8 # bytes

match if {
	caller.foreign
	call.succeeded
	small
}

small if input.eventName in {"semop", "semtimedop"}

small if {
	input.eventName == "msgsnd"
	input.arg.msgsz <= tiny
}

small if {
	input.eventName == "msgrcv"
	input.returnValue <= tiny
}

# Asking for values of semaphores, and for who waits for them: from GETPID, 11, to
# GETZCNT, 15. A range is one question for the kernel.
small if {
	input.eventName == "semctl"
	input.arg.cmd >= 11
	input.arg.cmd <= 15
}
