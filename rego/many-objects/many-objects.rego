# METADATA
# title: Very many IPC objects created
# description: |
#   Within ten seconds a user created 1,000 and more queues, semaphore sets or segments.
#   A namespace has room for 32,000 queues, as many sets and 4,096 segments, all of its
#   processes share it, and objects stay when their creator ends: a loop that runs until
#   it is refused once, which takes less than a second, leaves nothing to anybody who
#   needs one then, and what each of them costs the kernel until Linux 5.15 no cgroup was
#   charged for (CVE-2021-3759). Who asks on is reported by IPCW-037.
# related_resources:
#   - ref: https://nvd.nist.gov/vuln/detail/CVE-2021-3759
#   - ref: https://attack.mitre.org/techniques/T1499/001/
#     description: Exhaustion of a resource of the operating system
#   - ref: https://man7.org/linux/man-pages/man2/msgget.2.html
#     description: MSGMNI, and ENOSPC
#   - ref: https://cwe.mitre.org/data/definitions/770.html
#     description: Allocation without limits
# custom:
#   id: IPCW-051
#   severity: medium
#   events: [msgget, semget, shmget]
#   attack: [T1499.001]
#   tags: [CVE-2021-3759, CWE-770]
#   correlation:
#     type: event_count
#     group_by: [ipcNamespace, effectiveUserId]
#     timespan: 10s
#     condition: {gte: 1000}
#   false_positives:
#     - A program of X11 that makes a segment for each image, more than a hundred a second; suppress it by executable.
#     - Stress tests such as stress-ng; suppress them on test hosts.
package ipcwarden.many_objects

match if input.object.created
