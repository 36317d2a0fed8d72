# METADATA
# title: Kernel heap sprayed with messages
# description: |
#   Within a second a process sent 128 and more messages, at most two into each
#   queue counted, to queues that nobody has ever received from. Programs that talk
#   to each other have few queues, and somebody receives. Exploits of the kernel's
#   heap fill it like this: each message is a struct msg_msg of a size class of
#   their choice, next to which the object lands that they can write beyond, and two
#   in a queue are linked by the pointers that they overwrite (CVE-2021-22555,
#   CVE-2022-0185, CVE-2021-26708, CVE-2024-53141). All sizes count together, as
#   those of one class need not be equal. Of a queue with a key only the second
#   message counts, as servers have such a queue for each client.
# related_resources:
#   - ref: https://google.github.io/security-research/pocs/linux/cve-2021-22555/writeup.html
#     description: Exploit of CVE-2021-22555, with 4096 queues
#   - ref: https://www.willsroot.io/2022/01/cve-2022-0185.html
#     description: Exploit of CVE-2022-0185
#   - ref: https://nvd.nist.gov/vuln/detail/CVE-2021-26708
#   - ref: https://nvd.nist.gov/vuln/detail/CVE-2024-53141
# custom:
#   id: IPCW-015
#   severity: critical
#   events: [msgsnd]
#   attack: [T1068]
#   tags: [CVE-2021-22555, CVE-2021-26708, CVE-2022-0185, CVE-2024-53141, CWE-787]
#   correlation:
#     type: event_count
#     group_by: [hostProcessId]
#     timespan: 1s
#     condition: {gte: 128}
#   false_positives:
#     - Stress tests of message queues that send long before they receive; suppress them on test hosts.
#     - A server that gives each of very many workers a private queue, in the second in which it starts; suppress it by executable.
package ipcwarden.message_spray

import data.ipcwarden.call

match if {
	call.succeeded
	input.object.lrpid == 0
	one_of_two
}

# The kernel counts the messages that were there before.
one_of_two if input.object.qnum == 1

one_of_two if {
	input.object.qnum == 0
	input.object.key == 0 # IPC_PRIVATE
}

evidence["bytes"] := input.arg.msgsz
