# METADATA
# title: Many semaphore sets created at once
# description: |
#   Within a second a process created 64 and more private sets. A set is one
#   allocation in the kernel, struct sem_array with its semaphores, whose size the
#   number of semaphores chooses: up to two megabytes in one piece, at no cost to
#   the process. That fills the kernel's heap for an exploit, or uses up memory
#   that, until Linux 5.15, no cgroup was charged for (CVE-2021-3759). All numbers
#   count together, as those of one size class need not be equal.
# related_resources:
#   - ref: https://nvd.nist.gov/vuln/detail/CVE-2021-3759
#   - ref: https://github.com/torvalds/linux/blob/v6.12/ipc/sem.c
#     description: newary, sem_alloc
#   - ref: https://attack.mitre.org/techniques/T1068/
#     description: Exploitation for privilege escalation
# custom:
#   id: IPCW-029
#   severity: medium
#   events: [semget]
#   attack: [T1068, T1499.001]
#   tags: [CVE-2021-3759, CWE-770]
#   correlation:
#     type: event_count
#     group_by: [hostProcessId]
#     timespan: 1s
#     condition: {gte: 64}
#   false_positives:
#     - A server that starts with a set for each of very many locks, instead of one set for all; suppress it by executable.
#     - Tests of semaphores; suppress them on test hosts.
package ipcwarden.semaphore_spray

match if {
	input.object.created
	input.object.key == 0 # IPC_PRIVATE
}

evidence["semaphores"] := input.object.nsems
