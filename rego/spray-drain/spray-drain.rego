# METADATA
# title: Sprayed messages taken back
# description: |
#   Within five seconds a process received from 64 and more private queues, into
#   each of which it had itself put two messages and more, and from which nobody
#   had received before. Nobody sends messages to himself like that but exploits
#   of the kernel's heap: to free some of the sprayed messages makes holes for the
#   object that is to overflow, or lets the one that was overwritten be found by
#   what comes back (CVE-2021-22555, CVE-2022-0185). This finds sprays, too, that
#   were made too slowly for IPCW-015.
# related_resources:
#   - ref: https://google.github.io/security-research/pocs/linux/cve-2021-22555/writeup.html
#     description: Exploit of CVE-2021-22555, which frees every 1024th message
#   - ref: https://www.willsroot.io/2022/01/cve-2022-0185.html
#     description: Exploit of CVE-2022-0185
#   - ref: https://nvd.nist.gov/vuln/detail/CVE-2021-22555
# custom:
#   id: IPCW-027
#   severity: high
#   events: [msgrcv]
#   attack: [T1068]
#   tags: [CVE-2021-22555, CVE-2022-0185, CWE-416]
#   correlation:
#     type: value_count
#     field: object.id
#     group_by: [hostProcessId]
#     timespan: 5s
#     condition: {gte: 64}
#   false_positives:
#     - Tests of message queues that fill many before they read any; suppress them on test hosts.
package ipcwarden.spray_drain

import data.ipcwarden.call

match if {
	call.succeeded
	input.object.key == 0 # IPC_PRIVATE
	input.object.qnum >= 2
	input.object.lrpid == 0
	input.object.lspid == input.hostProcessId
	not "MSG_COPY" in input.flags # which takes nothing
}

evidence["bytes"] := input.returnValue
