# METADATA
# title: Private IPC object of another user used
# description: |
#   A process used a queue, a semaphore set or a segment of another user that
#   allows nobody else anything: its mode gives neither the group nor others any
#   access. Only CAP_IPC_OWNER lets it do that, which root has and few other
#   processes should. So memory, messages and locks of a user are read or changed
#   by somebody whom the user did not let in. One alert a minute for each process and object.
# related_resources:
#   - ref: https://man7.org/linux/man-pages/man7/capabilities.7.html
#     description: CAP_IPC_OWNER
#   - ref: https://attack.mitre.org/techniques/T1005/
#     description: Data from the local system
#   - ref: https://attack.mitre.org/techniques/T1565/003/
#     description: Data changed while it is in use
# custom:
#   id: IPCW-025
#   severity: high
#   events: [msgsnd, msgrcv, semop, semtimedop, shmat]
#   attack: [T1005, T1565.003]
#   tags: [CWE-250]
#   correlation:
#     type: event_count
#     group_by: [hostProcessId, object.kind, object.id]
#     timespan: 1m
#     condition: {gte: 1}
#   false_positives:
#     - CRIU attaches the segments of what it checkpoints; suppress it by executable.
#     - A display server that runs as root attaches its clients' segments; those in their usual places are left out, suppress others by executable.
#     - A service that starts as root, makes its objects for another user and goes on to use them; suppress it by key.
package ipcwarden.capability_access

import data.ipcwarden.call
import data.ipcwarden.caller
import data.ipcwarden.mode
import data.ipcwarden.number

match if {
	call.succeeded
	caller.foreign
	mode.private(input.object.mode)
	not caller.display_server
}

evidence["mode"] := number.octal(input.object.mode)

evidence["ownerUid"] := input.object.ownerUid

evidence["effectiveUserId"] := input.effectiveUserId
