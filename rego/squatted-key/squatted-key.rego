# METADATA
# title: Service met an IPC object of a user under its key
# description: |
#   Root or a system account asked for an object to be created under its key, and
#   one of an unprivileged user was there already. Keys are easy to foresee: ftok
#   makes them of a file's inode, and many programs have a number of their own.
#   Without IPC_EXCL the service now works on an object whose owner can read and
#   change everything in it, give out other access, and remove it; with IPC_EXCL
#   it is refused, and does not start. Opening an object without the wish to create
#   it is not reported.
# related_resources:
#   - ref: https://cwe.mitre.org/data/definitions/340.html
#     description: Generation of predictable numbers or identifiers
#   - ref: https://cwe.mitre.org/data/definitions/283.html
#     description: Unverified ownership
#   - ref: https://attack.mitre.org/techniques/T1565/003/
#     description: Data changed while it is in use
#   - ref: https://man7.org/linux/man-pages/man3/ftok.3.html
#     description: How keys are made, and that they are not unique
# custom:
#   id: IPCW-020
#   severity: high
#   events: [msgget, semget, shmget]
#   attack: [T1565.003]
#   tags: [CWE-283, CWE-340]
#   false_positives:
#     - A service that a user has started by hand before the system did; remove the objects that it left.
#     - Two programs with the same key by accident, one of a user and one of the system; the evidence has the key to suppress.
package ipcwarden.squatted_key

import data.ipcwarden.call
import data.ipcwarden.caller
import data.ipcwarden.number

match if {
	"IPC_CREAT" in input.flags
	caller.foreign
	outranked
	outcome[_]
}

# Whom the caller must not trust.
outranked if {
	input.effectiveUserId == 0
	input.object.creatorUid != 0
}

outranked if {
	caller.system_account
	input.object.creatorUid >= 1000
}

outcome contains "uses it" if {
	call.succeeded
	not input.object.created
}

outcome contains "was refused" if input.error == "EEXIST"

evidence["service"] := outcome

evidence["key"] := number.key(input.object.key)

evidence["mode"] := number.octal(input.object.mode)

evidence["creatorUid"] := input.object.creatorUid
