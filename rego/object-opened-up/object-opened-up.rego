# METADATA
# title: IPC object opened to everybody
# description: |
#   A process changed the mode of a queue, a semaphore set or a segment, with
#   IPC_SET, so that every user of the host can write to it, which was not so
#   before. That lets other users in, and whoever looked at the mode when the object
#   was created saw nothing of it. It is the same weakness as an object that is
#   created like that, which IPCW-002 reports.
# related_resources:
#   - ref: https://cwe.mitre.org/data/definitions/732.html
#     description: Incorrect permission assignment for a critical resource
#   - ref: https://attack.mitre.org/techniques/T1222/002/
#     description: Permissions changed
#   - ref: https://man7.org/linux/man-pages/man2/msgctl.2.html
#     description: IPC_SET
# custom:
#   id: IPCW-035
#   severity: medium
#   events: [msgctl, semctl, shmctl]
#   attack: [T1222.002]
#   tags: [CWE-732]
#   false_positives:
#     - A service that prepares an object first and opens it to all clients then; suppress it by executable and key.
package ipcwarden.object_opened_up

import data.ipcwarden.call
import data.ipcwarden.mode
import data.ipcwarden.number

match if {
	input.command == "IPC_SET"
	call.succeeded
	not mode.world_writable(input.object.mode)
	mode.world_writable(settings.mode)
}

settings := region.inKernel

settings := region.atEntry if not region.inKernel

region := found if {
	some found in input.memory
	found.type == "ipc_ds"
	input.object # else it is not known what the mode was
}

evidence["mode"] := number.octal(input.object.mode)

evidence["newMode"] := number.octal(settings.mode)
