# METADATA
# title: Queue or semaphores of another user used
# description: |
#   A process sent to or received from a queue, or operated on a semaphore set, that
#   neither belongs to its user nor was created by it, and whose mode lets others in.
#   Who receives takes messages away from whom they are for, who sends has a service
#   act on what nobody it trusts has written, and who takes a semaphore holds up all
#   others. It takes no key and no call that opens the object, which IPCW-005 would
#   report: ids are small numbers, and /proc/sysvipc lists them. Objects that are for
#   nobody else are left to IPCW-025. One alert a minute for each process and object.
# related_resources:
#   - ref: https://cwe.mitre.org/data/definitions/732.html
#     description: Incorrect permission assignment for a critical resource
#   - ref: https://man7.org/linux/man-pages/man7/sysvipc.7.html
#     description: Owner, creator and permissions of System V IPC objects
#   - ref: https://attack.mitre.org/techniques/T1005/
#     description: Data from the local system
#   - ref: https://attack.mitre.org/techniques/T1565/003/
#     description: Data changed while it is in use
# custom:
#   id: IPCW-050
#   severity: medium
#   events: [msgsnd, msgrcv, semop, semtimedop]
#   attack: [T1005, T1565.003]
#   tags: [CWE-732]
#   correlation:
#     type: event_count
#     group_by: [hostProcessId, object.kind, object.id]
#     timespan: 1m
#     condition: {gte: 1}
#   false_positives:
#     - Oracle, Db2 and SAP share queues and locks within a group; suppress them by executable and object.creatorUid.
#     - A service whose clients are other users, with a queue that is meant for all of them; suppress it by key.
package ipcwarden.foreign_use

import data.ipcwarden.call
import data.ipcwarden.caller
import data.ipcwarden.mode

match if {
	call.succeeded
	caller.foreign
	not mode.private(input.object.mode)
}
