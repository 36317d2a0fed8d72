# METADATA
# title: Very large IPC objects created one after the other
# description: |
#   Within ten seconds a user created 32 and more segments of 64 MiB and more, or
#   sets of 8192 semaphores and more. Segments count as nobody's memory once they
#   are detached and stay when their creator has ended; semaphores are memory of the
#   kernel that cannot be swapped out. Until Linux 5.15 no cgroup was charged for
#   the kernel's part of it, so that a container could use up the memory of the host
#   (CVE-2021-3759). Databases create few segments, if large ones.
# related_resources:
#   - ref: https://nvd.nist.gov/vuln/detail/CVE-2021-3759
#   - ref: https://attack.mitre.org/techniques/T1499/001/
#     description: Exhaustion of a resource of the operating system
#   - ref: https://cwe.mitre.org/data/definitions/770.html
#     description: Allocation without limits
# custom:
#   id: IPCW-038
#   severity: medium
#   events: [semget, shmget]
#   attack: [T1499.001]
#   tags: [CVE-2021-3759, CWE-770]
#   correlation:
#     type: event_count
#     group_by: [ipcNamespace, effectiveUserId]
#     timespan: 10s
#     condition: {gte: 32}
#   false_positives:
#     - A database that divides its memory into very many large segments when it starts, as Oracle can; suppress it by executable.
package ipcwarden.large_objects

many_bytes := 67108864

many_semaphores := 8192

match if {
	input.object.created
	input.object.segsz >= many_bytes
}

match if {
	input.object.created
	input.object.nsems >= many_semaphores
}

evidence["kind"] := input.object.kind
