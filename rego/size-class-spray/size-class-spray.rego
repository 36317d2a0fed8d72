# METADATA
# title: Many queues filled with messages of one slab size
# description: |
#   Within a second a process sent messages of one size to 32 and more queues from
#   which nobody has ever received, and the size is one that, with the header that
#   the kernel puts before a message, or before its part beyond the first page,
#   fills a slab object to the last byte. Exploits choose sizes like that, since
#   such messages land in the same slabs as the object that they attack: struct
#   msg_msg and msg_msgseg of kmalloc-64 to kmalloc-4096 (CVE-2021-22555,
#   CVE-2021-42008, CVE-2022-0185, CVE-2025-40364). Fewer queues are enough than for
#   IPCW-015, with one message in each, and whether they have keys does not matter.
# related_resources:
#   - ref: https://google.github.io/security-research/pocs/linux/cve-2021-22555/writeup.html
#     description: Exploit of CVE-2021-22555, with messages of 4096 and 1024 bytes
#   - ref: https://www.willsroot.io/2022/01/cve-2022-0185.html
#     description: Exploit of CVE-2022-0185
#   - ref: https://nvd.nist.gov/vuln/detail/CVE-2021-42008
#   - ref: https://github.com/torvalds/linux/blob/v6.12/ipc/msgutil.c
#     description: alloc_msg, how a message is cut into slab objects
# custom:
#   id: IPCW-026
#   severity: high
#   events: [msgsnd]
#   attack: [T1068]
#   tags: [CVE-2021-22555, CVE-2021-42008, CVE-2022-0185, CVE-2025-40364, CWE-787]
#   correlation:
#     type: value_count
#     field: object.id
#     group_by: [hostProcessId, arg.msgsz]
#     timespan: 1s
#     condition: {gte: 32}
#   false_positives:
#     - A server that has a queue for each client, starts all of them at once and sends fixed records of just such a size; suppress it by executable.
package ipcwarden.size_class_spray

import data.ipcwarden.call

# struct msg_msg, and struct msg_msgseg, which precedes the part beyond the first page.
message_header := 48

part_header := 8

# What fits behind a struct msg_msg into a page of 4096 bytes.
first_part := 4048

slabs := {64, 96, 128, 192, 256, 512, 1024, 2048, 4096}

part_slabs := slabs | {16, 32}

match if {
	bits.and(input.arg.msgsz, 7) == 0 # as all of these are
	call.succeeded
	input.object.lrpid == 0
	fills_a_slab
}

fills_a_slab if input.arg.msgsz + message_header in slabs

fills_a_slab if (input.arg.msgsz - first_part) + part_header in part_slabs

evidence["bytes"] := input.arg.msgsz
