# METADATA
# title: Semaphores of another user set
# description: |
#   A process set semaphores that neither belong to its user nor were created by
#   it. SETVAL and SETALL open a lock that others hold, lock out everybody, and
#   make the kernel forget what SEM_UNDO would have undone, so that what the
#   semaphores protect is used by two at once. The holder of the lock notices
#   nothing.
# related_resources:
#   - ref: https://cwe.mitre.org/data/definitions/667.html
#     description: Improper locking
#   - ref: https://attack.mitre.org/techniques/T1565/003/
#     description: Data changed while it is in use
#   - ref: https://man7.org/linux/man-pages/man2/semctl.2.html
#     description: SETVAL, SETALL and undo entries
# custom:
#   id: IPCW-024
#   severity: high
#   events: [semctl]
#   attack: [T1565.003]
#   tags: [CWE-667]
#   false_positives:
#     - Tools with which root recovers the locks of a database that has crashed; suppress them by executable.
#     - Programs of several users that share a set within a group, and reset it in turn; suppress them by key.
package ipcwarden.foreign_semaphores

import data.ipcwarden.call
import data.ipcwarden.caller

match if {
	input.command in {"SETVAL", "SETALL"}
	call.succeeded
	caller.foreign
}

evidence["command"] := input.command

evidence["semaphore"] := input.arg.semnum if input.command == "SETVAL"

evidence["ownerUid"] := input.object.ownerUid
