# METADATA
# title: IPC object given to another user
# description: |
#   A process without root's user id made another user the owner of an object, with
#   IPC_SET. The kernel lets every owner do that, without asking the new one. The
#   creator keeps its access, and the object now looks like that user's: a service
#   that checks the owner before it trusts an object is deceived, and who is to
#   blame for what is in it is not who made it. That root hands objects to a
#   service, as web servers do with their locks, is not reported.
# related_resources:
#   - ref: https://man7.org/linux/man-pages/man2/shmctl.2.html
#     description: IPC_SET
#   - ref: https://man7.org/linux/man-pages/man7/sysvipc.7.html
#     description: Owner and creator
#   - ref: https://cwe.mitre.org/data/definitions/283.html
#     description: Unverified ownership
#   - ref: https://attack.mitre.org/techniques/T1222/002/
#     description: Permissions changed
# custom:
#   id: IPCW-034
#   severity: medium
#   events: [msgctl, semctl, shmctl]
#   attack: [T1222.002]
#   tags: [CWE-283]
#   false_positives:
#     - A service that runs as one user and works for another one; suppress it by executable.
#     - Processes in a PID namespace of their own are left out, as user ids may mean other users there.
package ipcwarden.object_given_away

import data.ipcwarden.call

# The inode of the first PID namespace (include/linux/proc_ns.h: PROC_PID_INIT_INO).
host_pid_namespace := 4026531836

match if {
	input.command == "IPC_SET"
	call.succeeded
	input.effectiveUserId != 0
	input.pidNamespace == host_pid_namespace
	new_owner != input.object.ownerUid
}

new_owner := settings.uid

settings := region.inKernel

settings := region.atEntry if not region.inKernel

region := found if {
	some found in input.memory
	found.type == "ipc_ds"
}

evidence["ownerUid"] := input.object.ownerUid

evidence["newOwnerUid"] := new_owner
