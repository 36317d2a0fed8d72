# METADATA
# title: IPC objects enumerated
# description: |
#   A process asked for the state of one IPC object after the other by its place
#   in the kernel's table (MSG_STAT, SEM_STAT, SHM_STAT and the _ANY forms, which
#   need no permission to read). That is how to find out which queues, semaphores
#   and segments there are, whose they are and who uses them, before they are
#   read or taken over. ipcs reads /proc/sysvipc instead, and is not reported.
# related_resources:
#   - ref: https://attack.mitre.org/techniques/T1082/
#     description: System information discovery
#   - ref: https://man7.org/linux/man-pages/man2/shmctl.2.html
#     description: SHM_STAT and SHM_STAT_ANY
# custom:
#   id: IPCW-017
#   severity: low
#   events: [msgctl, semctl, shmctl]
#   attack: [T1082]
#   tags: [CWE-497]
#   correlation:
#     type: event_count
#     group_by: [hostProcessId, eventName]
#     timespan: 1s
#     condition: {gte: 16}
#   false_positives:
#     - ipcrm --all and CRIU go through the table in the same way; suppress them by executable.
#     - BusyBox's ipcs goes through the table as well, and so does any where /proc is not mounted or lacks sysvipc; suppress it by executable and uid.
#     - Monitoring agents that report the use of shared memory.
package ipcwarden.object_enumeration

match if input.command in {"MSG_STAT", "MSG_STAT_ANY", "SEM_STAT", "SEM_STAT_ANY", "SHM_STAT", "SHM_STAT_ANY"}
