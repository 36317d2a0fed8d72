# METADATA
# title: The kernel took other input than was there at entry
# description: |
#   A process exchanged the message, the operations or the settings between the
#   beginning of the call, when monitors look at them, and the moment when the
#   kernel copied them. This is the Phantom attack, by which a process shows
#   harmless arguments to a monitor of system calls and has the kernel act on
#   others (CVE-2021-33505). Either the kernel's own copy gives it away, or the
#   outcome, which the operations that were there at entry cannot have had: a
#   number beyond the set accepted, a good one refused, or a wait by operations
#   none of which may wait.
# related_resources:
#   - ref: https://media.defcon.org/DEF%20CON%2029/DEF%20CON%2029%20presentations/Rex%20Guo%20Junyuan%20Zeng%20-%20Phantom%20Attack%20-%20%20Evading%20System%20Call%20Monitoring.pdf
#     description: Guo and Zeng, Phantom Attack, DEF CON 29
#   - ref: https://github.com/rexguowork/phantom-attack
#   - ref: https://nvd.nist.gov/vuln/detail/CVE-2021-33505
#   - ref: https://cwe.mitre.org/data/definitions/367.html
#     description: Time of check, time of use
#   - ref: https://man7.org/linux/man-pages/man2/semop.2.html
#     description: When semop waits and with which errors it ends
# custom:
#   id: IPCW-008
#   severity: high
#   events: [msgsnd, msgrcv, msgctl, semop, semtimedop, semctl, shmctl]
#   attack: [T1562.006]
#   tags: [CVE-2021-33505, CWE-367]
#   false_positives:
#     - Threads that fill one buffer without a lock do the same by accident; the evidence shows whether what they exchange makes a difference; suppress them by executable.
#     - The kernel may wait for memory on a host that has none left, also for operations that must not wait.
#     - A kernel whose audit backlog is full makes every call wait at its end; raise audit_backlog_limit.
package ipcwarden.kernel_took_other

import data.ipcwarden.call
import data.ipcwarden.memory
import data.ipcwarden.operations

# As long as that a call does not take by itself, in nanoseconds.
shortest_wait := 1000000

match if exchanged[_]

match if {
	input.eventName in {"semop", "semtimedop"}
	input.object.nsems > 0
	contradictions[_]
}

# The places of the memory of which the kernel has a copy that differs.
exchanged contains place if {
	some place, region in input.memory
	"atEntry-inKernel" in region.differing
	not region.written
}

reasons contains "the kernel's copy differs" if exchanged[_]

reasons contains reason if {
	input.object.nsems > 0
	some reason in contradictions
}

# EFBIG is for a number that is not below the size of the set.
contradictions contains "refused numbers that are in the set" if {
	input.error == "EFBIG"
	sampled[_].sem_num < input.object.nsems
	every operation in sampled {
		operation.sem_num < input.object.nsems
	}
}

contradictions contains "accepted a number that is not in the set" if {
	numbers_accepted
	some operation in sampled
	operation.sem_num >= input.object.nsems
}

contradictions contains "did not wait where it had to" if {
	input.error == "EAGAIN"
	not "IPC_NOWAIT" in input.flags
	no_timeout
	every operation in sampled {
		not "IPC_NOWAIT" in operation.flags
	}
}

# All of the input was in memory at entry, so that copying it was no reason to
# sleep.
contradictions contains "waited where it must not" if {
	input.sleeps >= 1
	input.durationNs >= shortest_wait
	not input.unfinished
	might_not_wait
	operations.none_waits(sampled)
	every region in input.memory {
		region.atEntry.state == "read"
	}
}

# What none_waits asks for; most calls that wait have neither.
might_not_wait if "IPC_NOWAIT" in input.flags

might_not_wait if {
	some operation in sampled
	operation.sem_op > 0
}

# The operations at entry, to be compared with the outcome. The size of the set
# stays the same as long as its id does. Where the kernel's own copy of them is
# whole, it tells better.
sampled := operations.at_entry if {
	input.object.nsems > 0
	not operations.in_kernel
}

numbers_accepted if call.succeeded

# What the kernel says only after it has checked the numbers.
numbers_accepted if input.error in {"EAGAIN", "EINTR", "ERANGE"}

no_timeout if input.eventName == "semop"

no_timeout if input.arg.timeout == "0x0"

evidence["reasons"] := reasons

evidence["memory"] := {memory.looks(input.memory[place]) | some place in exchanged} if exchanged[_]

evidence["operations"] := sampled

evidence["semaphores"] := input.object.nsems

evidence["outcome"] := call.outcome

evidence["durationNs"] := input.durationNs

evidence["sleeps"] := input.sleeps
