# METADATA
# title: Many small segments created at once
# description: |
#   Within a second a process created 64 and more private segments of a page at
#   most. For each the kernel allocates a struct shmid_kernel, a file and an inode,
#   which live until the segment is removed, whoever asked for them: a spray of its
#   heap that needs no attachment, and that outlives the process. Programs put many
#   small things into one segment.
# related_resources:
#   - ref: https://github.com/torvalds/linux/blob/v6.12/ipc/shm.c
#     description: newseg, what a segment costs the kernel
#   - ref: https://nvd.nist.gov/vuln/detail/CVE-2021-3759
#     description: Memory of IPC objects that no cgroup was charged for
#   - ref: https://attack.mitre.org/techniques/T1068/
#     description: Exploitation for privilege escalation
# custom:
#   id: IPCW-028
#   severity: medium
#   events: [shmget]
#   attack: [T1068]
#   tags: [CVE-2021-3759, CWE-770]
#   correlation:
#     type: event_count
#     group_by: [hostProcessId]
#     timespan: 1s
#     condition: {gte: 64}
#   false_positives:
#     - Old toolkits of X11 that give each small image a segment of its own; suppress them by executable.
#     - Tests of shared memory; suppress them on test hosts.
package ipcwarden.segment_spray

# A page. Larger ones cost the sprayer memory for nothing.
largest := 4096

match if {
	input.object.created
	input.object.key == 0 # IPC_PRIVATE
	input.object.segsz <= largest
}

evidence["bytes"] := input.object.segsz
