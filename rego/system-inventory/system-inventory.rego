# METADATA
# title: Limits and use of System V IPC asked for
# description: |
#   A process asked the kernel how many queues, sets and segments there are, how much
#   they hold and where the limits lie (IPC_INFO, MSG_INFO, SEM_INFO, SHM_INFO). That
#   is where going through all objects begins (IPCW-017), and what an intruder asks
#   for who wants to know what runs here; so do ipcs --limits, ipcrm --all and
#   monitoring, which is why it is off by default.
# related_resources:
#   - ref: https://attack.mitre.org/techniques/T1082/
#     description: System information discovery
#   - ref: https://man7.org/linux/man-pages/man2/shmctl.2.html
#     description: IPC_INFO and SHM_INFO
#   - ref: https://man7.org/linux/man-pages/man1/ipcs.1.html
# custom:
#   id: IPCW-048
#   severity: info
#   enabled: false
#   events: [msgctl, semctl, shmctl]
#   attack: [T1082]
#   tags: [CWE-497]
#   false_positives:
#     - ipcs, ipcrm and monitoring agents; suppress them by executable and user.
package ipcwarden.system_inventory

import data.ipcwarden.call

match if {
	input.command in {"IPC_INFO", "MSG_INFO", "SEM_INFO", "SHM_INFO"}
	call.succeeded
}

evidence["command"] := input.command
