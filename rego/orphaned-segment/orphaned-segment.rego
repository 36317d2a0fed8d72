# METADATA
# title: Segment attached that its creator left behind
# description: |
#   A process attached a segment that is marked for removal, and whose creator has
#   ended. Such a segment has no key any more, so that nobody finds it who was not
#   given its id, and lives as long as somebody has it attached: memory that belongs
#   to no program that is still there, in which data outlive their owner, and by which
#   processes find each other that have nothing else in common. Whose memory it was
#   the evidence says.
# related_resources:
#   - ref: https://man7.org/linux/man-pages/man2/shmctl.2.html
#     description: IPC_RMID, and SHM_DEST
#   - ref: https://attack.mitre.org/techniques/T1564/
#     description: Hide artifacts
#   - ref: https://attack.mitre.org/techniques/T1559/
#     description: Inter-process communication
# custom:
#   id: IPCW-044
#   severity: medium
#   events: [shmat]
#   attack: [T1559, T1564]
#   tags: [CWE-459]
#   false_positives:
#     - Display servers that attach the segment of a client that ended at once; those in their usual places are left out.
#     - A service whose workers go on with the segment of a parent that has ended; suppress it by executable.
package ipcwarden.orphaned_segment

import data.ipcwarden.call
import data.ipcwarden.caller

match if {
	call.succeeded
	bits.and(input.object.mode, 512) != 0 # SHM_DEST, 01000
	input.object.creatorGone
	not caller.display_server
}

evidence["creatorProcessId"] := input.object.cpid

evidence["creatorUid"] := input.object.creatorUid

evidence["attached"] := input.object.nattch
