# METADATA
# title: Pointer to memory whose page faults a process serves
# description: |
#   A process gave the kernel a pointer into memory that is registered with
#   userfaultfd, or is a mapped file of a FUSE file system. Whoever serves it
#   decides when the kernel's access to it goes on and what is there: exploits
#   hold up the kernel that way in the middle of a call to win a race
#   (CVE-2021-26708, CVE-2022-0185), and evade monitors by exchanging input.
#   The pointer alone is the preparation; IPCW-010 reports the delay. Memory that
#   such programs use otherwise seldom reaches a System V IPC call.
# related_resources:
#   - ref: https://man7.org/linux/man-pages/man2/userfaultfd.2.html
#   - ref: https://docs.kernel.org/admin-guide/mm/userfaultfd.html
#   - ref: https://a13xp0p0v.github.io/2021/02/09/CVE-2021-26708.html
#     description: Exploit of CVE-2021-26708, with messages and userfaultfd
#   - ref: https://www.willsroot.io/2022/01/cve-2022-0185.html
#     description: Exploit of CVE-2022-0185, which holds up msgsnd with FUSE
#   - ref: https://lwn.net/Articles/819834/
#     description: Why faults of the kernel are kept from unprivileged userfaultfd
# custom:
#   id: IPCW-012
#   severity: high
#   events: [msgsnd, msgrcv, msgctl, semop, semtimedop, semctl, shmat, shmctl]
#   attack: [T1068]
#   tags: [CVE-2021-26708, CVE-2022-0185, CWE-362]
#   false_positives:
#     - Processes that are being migrated (QEMU's postcopy, CRIU's lazy pages) have all of their memory served; suppress them by executable.
#     - Garbage collectors that use userfaultfd serve their heap; suppress them by executable.
#     - Programs that send straight from a mapped file on sshfs and its kin; suppress them by executable.
package ipcwarden.served_memory

import data.ipcwarden.call
import data.ipcwarden.memory

match if served[_]

served contains object.union(
	{"arg": region.arg, "address": region.address, "written": region.written},
	object.filter(mapping, ["byte", "fileSystem", "userfaultfd"]),
) if {
	some region in input.memory
	some mapping in region.mappings
	memory.served(mapping)
}

evidence["memory"] := served

evidence["durationNs"] := input.durationNs

evidence["sleeps"] := input.sleeps

evidence["outcome"] := call.outcome
