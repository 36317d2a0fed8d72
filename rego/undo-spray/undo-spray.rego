# METADATA
# title: Kernel heap sprayed with undo entries
# description: |
#   Within a second a process changed semaphores of 64 and more private sets with
#   SEM_UNDO. For each set the kernel keeps a struct sem_undo for the process, whose
#   size depends on the number of semaphores and whose last part the process fills
#   with numbers of its choice; all of them are freed when it ends, or a set when it
#   is removed. No published exploit sprays them so far, but they are as good as
#   messages, and reach where those are watched. Until Linux 5.15 no cgroup was
#   charged for them (CVE-2021-3759). Programs have a set or two.
# related_resources:
#   - ref: https://github.com/torvalds/linux/blob/v6.12/ipc/sem.c
#     description: struct sem_undo, find_alloc_undo
#   - ref: https://nvd.nist.gov/vuln/detail/CVE-2021-3759
#   - ref: https://man7.org/linux/man-pages/man2/semop.2.html
#     description: SEM_UNDO
# custom:
#   id: IPCW-031
#   severity: medium
#   events: [semop, semtimedop]
#   attack: [T1068]
#   tags: [CVE-2021-3759, CWE-770]
#   correlation:
#     type: value_count
#     field: object.id
#     group_by: [hostProcessId]
#     timespan: 1s
#     condition: {gte: 64}
#   false_positives:
#     - A web server with a private set for each of very many mutexes, in the second in which it starts; suppress it by executable.
#     - Tests of semaphores; suppress them on test hosts.
package ipcwarden.undo_spray

import data.ipcwarden.call

match if {
	"SEM_UNDO" in input.flags
	call.succeeded
	input.object.key == 0 # IPC_PRIVATE
}
