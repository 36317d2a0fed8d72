# METADATA
# title: IPC object of another user opened or attached
# description: |
#   A process opened a queue, a semaphore set or a segment, or attached a segment,
#   that neither belongs to its user nor was created by it. Its mode, or a
#   capability, allowed that; whether its owner wanted it is another question.
#   Data in shared memory is read and changed this way without a trace in the
#   file system, as happened to IBM Db2 (CVE-2020-4414).
# related_resources:
#   - ref: https://nvd.nist.gov/vuln/detail/CVE-2020-4414
#   - ref: https://cwe.mitre.org/data/definitions/732.html
#     description: Incorrect permission assignment for a critical resource
#   - ref: https://man7.org/linux/man-pages/man7/sysvipc.7.html
#     description: Owner, creator and permissions of System V IPC objects
# custom:
#   id: IPCW-005
#   severity: medium
#   events: [msgget, semget, shmget, shmat]
#   attack: [T1005, T1565.003]
#   tags: [CVE-2020-4414, CWE-732]
#   false_positives:
#     - Display servers attach their clients' segments (MIT-SHM); those in their usual places are left out, suppress others by executable.
#     - Oracle, Db2 and SAP share objects within a group; suppress them by executable and creator.
#     - Root looks at everything with ipcrm or checkpoint tools; suppress those by executable.
package ipcwarden.foreign_object

import data.ipcwarden.call
import data.ipcwarden.caller
import data.ipcwarden.number

match if {
	call.succeeded
	not input.object.created
	caller.foreign
	not caller.display_server
}

evidence["kind"] := input.object.kind

evidence["id"] := input.object.id

evidence["key"] := input.object.key

evidence["mode"] := number.octal(input.object.mode)

evidence["ownerUid"] := input.object.ownerUid

evidence["creatorUid"] := input.object.creatorUid

evidence["effectiveUserId"] := input.effectiveUserId
