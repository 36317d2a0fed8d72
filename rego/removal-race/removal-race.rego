# METADATA
# title: Object used in the moment of its removal
# description: |
#   Within ten seconds, in one namespace, three and more calls that never wait found
#   that their object was removed between the moment when the kernel looked it up and
#   the one when it locked it. That window is nanoseconds wide: to meet it again and
#   again takes one thread that removes and others that attach or examine without
#   pause. Exploits of the lifecycle of System V objects do that, to get at one that
#   is half made or half gone (CVE-2013-7026, CVE-2015-7613). Receivers and lockers
#   that are woken by a removal do not count.
# related_resources:
#   - ref: https://nvd.nist.gov/vuln/detail/CVE-2013-7026
#   - ref: https://nvd.nist.gov/vuln/detail/CVE-2015-7613
#   - ref: https://github.com/torvalds/linux/blob/v6.12/ipc/shm.c
#     description: do_shmat and shmctl, EIDRM after ipc_valid_object
# custom:
#   id: IPCW-036
#   severity: medium
#   events: [msgctl, shmctl, shmat]
#   attack: [T1068]
#   tags: [CVE-2013-7026, CVE-2015-7613, CWE-362]
#   correlation:
#     type: event_count
#     group_by: [ipcNamespace]
#     timespan: 10s
#     condition: {gte: 3}
#   false_positives:
#     - Many workers of a service that all clean up at once when it ends; suppress it by executable.
#     - Stress tests and fuzzers such as stress-ng and syzkaller; suppress them on test hosts.
package ipcwarden.removal_race

match if input.error == "EIDRM"

evidence["call"] := input.eventName
