# METADATA
# title: Kernel heap sprayed with attachments
# description: |
#   Within a second a process attached segments of a page at 32 and more different
#   addresses. Each attachment has the kernel allocate a struct shm_file_data, of
#   32 bytes with pointers to the namespace, the file and its operations: exploits
#   place many of them next to an object that they read or write beyond, to learn
#   where the kernel lies (CVE-2021-42008, CVE-2023-5345). One segment is enough.
#   Programs attach a segment once, and large ones.
# related_resources:
#   - ref: https://syst3mfailure.io/sixpack-slab-out-of-bounds/
#     description: Exploit of CVE-2021-42008, with shm_file_data
#   - ref: https://nvd.nist.gov/vuln/detail/CVE-2021-42008
#   - ref: https://nvd.nist.gov/vuln/detail/CVE-2023-5345
#   - ref: https://github.com/torvalds/linux/blob/v6.12/ipc/shm.c
#     description: struct shm_file_data, allocated in do_shmat
# custom:
#   id: IPCW-022
#   severity: high
#   events: [shmat]
#   attack: [T1068]
#   tags: [CVE-2021-42008, CVE-2023-5345, CWE-416]
#   correlation:
#     type: value_count
#     field: returnValue
#     group_by: [hostProcessId]
#     timespan: 1s
#     condition: {gte: 32}
#   false_positives:
#     - A program with many tiny shared images or records, each in a segment of its own; suppress it by executable.
#     - Programs that attach and detach again and again, as Perl's shmread does, get the same address and do not match.
package ipcwarden.attach_spray

import data.ipcwarden.call

# A page. Larger ones cost the sprayer memory for nothing.
largest := 4096

match if {
	call.succeeded
	input.object.segsz <= largest
}

evidence["bytes"] := input.object.segsz
