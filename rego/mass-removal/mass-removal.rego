# METADATA
# title: IPC objects of other users removed one after the other
# description: |
#   A process removed three and more IPC objects within five seconds that neither
#   it owns nor has created. Services keep their queues, locks and shared memory
#   in such objects, and fail or lose data when they vanish. Only a process with
#   CAP_SYS_ADMIN can do this.
# related_resources:
#   - ref: https://attack.mitre.org/techniques/T1489/
#     description: Service stop
#   - ref: https://man7.org/linux/man-pages/man2/shmctl.2.html
#     description: IPC_RMID
#   - ref: https://man7.org/linux/man-pages/man1/ipcrm.1.html
# custom:
#   id: IPCW-018
#   severity: high
#   events: [msgctl, semctl, shmctl]
#   attack: [T1489]
#   tags: [CWE-283]
#   correlation:
#     type: event_count
#     group_by: [hostProcessId]
#     timespan: 5s
#     condition: {gte: 3}
#   false_positives:
#     - systemd-logind removes the objects of users who have logged out (RemoveIPC); suppress it by executable.
#     - Administrators clean up with ipcrm --all after a crash.
package ipcwarden.mass_removal

import data.ipcwarden.call
import data.ipcwarden.caller

match if {
	input.command == "IPC_RMID"
	call.succeeded
	caller.foreign
}

evidence["kind"] := input.object.kind

evidence["creatorUid"] := input.object.creatorUid
