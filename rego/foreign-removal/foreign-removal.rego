# METADATA
# title: IPC object of another user removed or changed
# description: |
#   A process removed an IPC object that another user created, or changed its
#   owner, its group or its mode. Removal takes a service's queue, locks or shared
#   memory away while it runs; a change hands them to somebody else. Beside the
#   creator only the owner and a process with CAP_SYS_ADMIN can do either, so
#   that this is sabotage with privileges, an administrator at work, or the
#   orderly end of an object that was handed over.
# related_resources:
#   - ref: https://attack.mitre.org/techniques/T1489/
#     description: Service stop
#   - ref: https://man7.org/linux/man-pages/man2/shmctl.2.html
#     description: IPC_RMID and IPC_SET
#   - ref: https://man7.org/linux/man-pages/man1/ipcrm.1.html
# custom:
#   id: IPCW-006
#   severity: high
#   events: [msgctl, semctl, shmctl]
#   attack: [T1489]
#   tags: [CWE-283]
#   false_positives:
#     - systemd-logind removes the objects of users who have logged out (RemoveIPC); suppress it by executable.
#     - Administrators clean up with ipcrm after a crash; the ancestors tell who it was.
#     - A service that root created objects for and handed them to with IPC_SET removes them when it ends.
package ipcwarden.foreign_removal

import data.ipcwarden.call
import data.ipcwarden.number

match if {
	input.command in {"IPC_RMID", "IPC_SET"}
	call.succeeded
	input.object.creatorUid != input.effectiveUserId
}

evidence["command"] := input.command

evidence["kind"] := input.object.kind

evidence["id"] := input.object.id

evidence["key"] := input.object.key

evidence["mode"] := number.octal(input.object.mode)

evidence["ownerUid"] := input.object.ownerUid

evidence["creatorUid"] := input.object.creatorUid

evidence["effectiveUserId"] := input.effectiveUserId
