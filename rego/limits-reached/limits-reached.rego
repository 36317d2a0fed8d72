# METADATA
# title: IPC objects refused, as the limits are used up
# description: |
#   Within ten seconds a user was refused eight and more new objects because the
#   namespace has no identifier, no semaphore or no shared memory left. All
#   processes of the namespace share these limits, and so does everybody on a host
#   without containers: databases and others that need objects cannot start any
#   more. Objects stay when their creator ends, so that a short loop is enough.
# related_resources:
#   - ref: https://attack.mitre.org/techniques/T1499/001/
#     description: Exhaustion of a resource of the operating system
#   - ref: https://nvd.nist.gov/vuln/detail/CVE-2021-3759
#     description: Memory of IPC objects that no cgroup was charged for
#   - ref: https://man7.org/linux/man-pages/man2/msgget.2.html
#     description: MSGMNI, and ENOSPC
#   - ref: https://cwe.mitre.org/data/definitions/770.html
#     description: Allocation without limits
# custom:
#   id: IPCW-037
#   severity: high
#   events: [msgget, semget, shmget]
#   attack: [T1499.001]
#   tags: [CVE-2021-3759, CWE-770]
#   correlation:
#     type: event_count
#     group_by: [ipcNamespace, effectiveUserId]
#     timespan: 10s
#     condition: {gte: 8}
#   false_positives:
#     - A program that leaks objects, or limits that are too low for a database that tries again and again; ipcs shows whose the objects are; raise the limits, or suppress it by executable.
package ipcwarden.limits_reached

match if input.error in {"ENOSPC", "ENOMEM"}

evidence["call"] := input.eventName

evidence["error"] := input.error
