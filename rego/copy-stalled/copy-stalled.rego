# METADATA
# title: Copy from user memory was held up
# description: |
#   The kernel waited in the midst of a call for a page of the caller's memory.
#   Exploits do that on purpose, with memory whose page faults they answer
#   themselves by userfaultfd or FUSE: msgsnd has then allocated a message and
#   not yet filled it, and while it hangs the exploit overwrites the message's
#   header, so that the copy goes on to any address of the kernel. The exploit of
#   CVE-2022-0185 holds up msgsnd like that, the one of CVE-2021-26708 setxattr.
#   A call that was told not to wait and did, or that had nothing to wait for,
#   gives it away even where the moment of the copy cannot be seen.
# related_resources:
#   - ref: https://a13xp0p0v.github.io/2021/02/09/CVE-2021-26708.html
#     description: Exploit of CVE-2021-26708, with messages and userfaultfd
#   - ref: https://www.willsroot.io/2022/01/cve-2022-0185.html
#     description: Exploit of CVE-2022-0185, which holds up msgsnd with FUSE
#   - ref: https://syst3mfailure.io/wall-of-perdition/
#     description: Arbitrary write by a msgsnd that is held up
#   - ref: https://man7.org/linux/man-pages/man2/userfaultfd.2.html
# custom:
#   id: IPCW-010
#   severity: high
#   events: [msgsnd, msgrcv, msgctl, semop, semtimedop, semctl, shmctl]
#   attack: [T1068]
#   tags: [CVE-2021-26708, CVE-2022-0185, CWE-362]
#   false_positives:
#     - A host that swaps heavily reads pages from a slow disk; IPCW-012 does not match then.
#     - Virtual machines and containers that are being migrated (QEMU's postcopy, CRIU's lazy pages) get their memory late; suppress them by executable.
#     - Operations that were exchanged after entry (IPCW-008) may wait; where the kernel's copy cannot be seen, that looks the same.
#     - A kernel whose audit backlog is full makes every call wait at its end; raise audit_backlog_limit.
package ipcwarden.copy_stalled

import data.ipcwarden.call
import data.ipcwarden.memory
import data.ipcwarden.operations

# Nanoseconds. A page from a disk takes less.
longest_copy := 100000000

# A call that must not wait ends at once. Nanoseconds, as well.
shortest_wait := 50000000

# No reason holds for less, and most calls are done long before.
match if {
	input.durationNs >= shortest_wait
	reasons[_]
}

# A thread that was not given a CPU for so long did not sleep.
reasons contains "the kernel had its copy late" if {
	input.stalledNs > longest_copy
	input.stalledSleeps >= 1
}

reasons contains "waited where it must not" if {
	input.sleeps >= 1
	input.durationNs >= shortest_wait
	must_not_wait
}

reasons contains "long, with nothing to wait for but memory" if {
	input.durationNs > longest_copy
	not input.stalledNs
	nothing_to_wait_for
	count(served) > 0
}

must_not_wait if {
	input.eventName in {"msgsnd", "msgrcv"}
	"IPC_NOWAIT" in input.flags
}

must_not_wait if {
	input.eventName in {"semop", "semtimedop"}
	operations.none_waits(known_operations)
}

known_operations := operations.in_kernel

known_operations := operations.at_entry if not operations.in_kernel

# The queue had room when the call began.
nothing_to_wait_for if {
	input.eventName == "msgsnd"
	input.object.cbytes + input.arg.msgsz <= input.object.qbytes
	input.object.qnum < input.object.qbytes
}

# The kernel gave up before it came to the queue.
nothing_to_wait_for if {
	input.eventName == "msgsnd"
	input.error in {"EFAULT", "EINVAL"}
}

nothing_to_wait_for if input.eventName in {"msgctl", "semctl", "shmctl"}

# The input whose page faults a process answers.
served contains {"arg": region.arg, "address": region.address} if {
	some region in input.memory
	not region.written
	some mapping in region.mappings
	memory.served(mapping)
}

evidence["reasons"] := reasons

evidence["stalledNs"] := input.stalledNs

evidence["durationNs"] := input.durationNs

evidence["sleeps"] := input.sleeps

evidence["served"] := served if count(served) > 0

evidence["flags"] := input.flags

evidence["outcome"] := call.outcome
