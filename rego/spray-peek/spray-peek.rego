# METADATA
# title: Sprayed messages searched with MSG_COPY
# description: |
#   A process looked, without taking anything, into 16 and more private queues
#   that it had filled itself and that nobody has received from. That is how an
#   exploit finds out which of its sprayed messages it has corrupted, and reads
#   the kernel memory behind it: taking the broken message would crash the kernel
#   (CVE-2021-22555, CVE-2022-0185, CVE-2021-42008, CVE-2023-3390).
# related_resources:
#   - ref: https://google.github.io/security-research/pocs/linux/cve-2021-22555/writeup.html
#     description: Exploit of CVE-2021-22555 that searches its messages with MSG_COPY
#   - ref: https://www.willsroot.io/2022/01/cve-2022-0185.html
#     description: Exploit of CVE-2022-0185 that does the same
#   - ref: https://nvd.nist.gov/vuln/detail/CVE-2021-42008
#   - ref: https://nvd.nist.gov/vuln/detail/CVE-2023-3390
# custom:
#   id: IPCW-016
#   severity: critical
#   events: [msgrcv]
#   attack: [T1068]
#   tags: [CVE-2021-22555, CVE-2021-42008, CVE-2022-0185, CVE-2023-3390, CWE-125]
#   correlation:
#     type: value_count
#     field: object.id
#     group_by: [hostProcessId]
#     timespan: 5s
#     condition: {gte: 16}
#   false_positives:
#     - None is known. CRIU looks into queues that others have filled; tests of the kernel that do not are to be suppressed on test hosts.
package ipcwarden.spray_peek

match if {
	"MSG_COPY" in input.flags
	input.object.key == 0 # IPC_PRIVATE
	input.object.qnum >= 2
	input.object.lrpid == 0
	input.object.lspid == input.hostProcessId
}
