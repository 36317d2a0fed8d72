# METADATA
# title: Key passed from one user to another
# description: |
#   An IPC object was removed, and another user had one of its own under the same
#   key within a second. Programs that still have the key find the new one, and go
#   on with locks, messages or memory that somebody else controls: the object has
#   been exchanged behind their back. Nobody has to be removed from it for that,
#   since those who know the old id merely fail.
# related_resources:
#   - ref: https://cwe.mitre.org/data/definitions/367.html
#     description: Time of check, time of use
#   - ref: https://cwe.mitre.org/data/definitions/283.html
#     description: Unverified ownership
#   - ref: https://attack.mitre.org/techniques/T1565/003/
#     description: Data changed while it is in use
#   - ref: https://man7.org/linux/man-pages/man7/sysvipc.7.html
#     description: Keys and identifiers
# custom:
#   id: IPCW-021
#   severity: high
#   events: [msgget, msgctl, semget, semctl, shmget, shmctl]
#   attack: [T1565.003]
#   tags: [CWE-283, CWE-367]
#   correlation:
#     type: value_count
#     field: object.creatorUid
#     group_by: [object.namespace, object.kind, object.key]
#     timespan: 1s
#     condition: {gte: 2}
#   false_positives:
#     - A service that is stopped and started as another user within a second, as from a script; suppress it by key.
package ipcwarden.key_handover

import data.ipcwarden.call

match if {
	input.object.created
	input.object.key != 0
}

match if {
	input.command == "IPC_RMID"
	input.object.key != 0
	call.succeeded
}

evidence["creatorUid"] := input.object.creatorUid
