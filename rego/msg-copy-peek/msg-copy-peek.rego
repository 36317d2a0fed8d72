# METADATA
# title: Message queue read with MSG_COPY
# description: |
#   A process looked at a queued message without taking it. Exploits of heap
#   overflows in the kernel do this to read memory that they have corrupted: they
#   spray struct msg_msg, overwrite the length of one of them, and copy beyond
#   its end with MSG_COPY, which leaves the broken message where it is, since
#   freeing it would crash the kernel (CVE-2021-22555, CVE-2022-0185,
#   CVE-2021-42008, CVE-2023-3390). The flag exists for checkpoint and restore.
# related_resources:
#   - ref: https://google.github.io/security-research/pocs/linux/cve-2021-22555/writeup.html
#     description: Exploit of CVE-2021-22555 that reads with MSG_COPY
#   - ref: https://www.willsroot.io/2022/01/cve-2022-0185.html
#     description: Exploit of CVE-2022-0185 that reads with MSG_COPY
#   - ref: https://nvd.nist.gov/vuln/detail/CVE-2021-22555
#   - ref: https://nvd.nist.gov/vuln/detail/CVE-2022-0185
#   - ref: https://man7.org/linux/man-pages/man2/msgop.2.html
#     description: MSG_COPY
# custom:
#   id: IPCW-001
#   severity: high
#   events: [msgrcv]
#   attack: [T1068]
#   tags: [CVE-2021-22555, CVE-2021-42008, CVE-2022-0185, CVE-2023-3390, CWE-125]
#   false_positives:
#     - CRIU reads queues with MSG_COPY when it checkpoints a process; suppress it by its executable.
#     - Kernel tests such as LTP and stress-ng use every flag; suppress them on test hosts.
package ipcwarden.msg_copy_peek

import data.ipcwarden.call

# The kernel demands IPC_NOWAIT with MSG_COPY and refuses MSG_EXCEPT.
match if {
	"MSG_COPY" in input.flags
	"IPC_NOWAIT" in input.flags
	not "MSG_EXCEPT" in input.flags
	not refused
}

# The kernel turned the call down before it looked for the message. Other errors
# come later: ENOMSG is a peek behind the last message.
refused if input.error in {"ENOSYS", "EINVAL", "EACCES", "EIDRM"}

evidence["queue"] := input.arg.msqid

evidence["ordinal"] := input.arg.msgtyp

evidence["bytesAsked"] := input.arg.msgsz

evidence["returned"] := input.returnValue

evidence["outcome"] := call.outcome
