# METADATA
# title: Input changed during the call
# description: |
#   The memory that a call takes its input from was not the same when the call
#   ended as before. Another thread, or a process that shares the memory, wrote
#   to it meanwhile. Whoever checks the input of a system call and looks at user
#   memory for it, as tracers and sandboxes do, can be shown one message or one
#   set of operations while the kernel takes another. Which of the two the kernel
#   has taken this signature does not say; IPCW-008 does, where that is known.
# related_resources:
#   - ref: https://cwe.mitre.org/data/definitions/367.html
#     description: Time of check, time of use
#   - ref: https://www.usenix.org/legacy/event/woot07/tech/full_papers/watson/watson.pdf
#     description: Watson, Exploiting Concurrency Vulnerabilities in System Call Wrappers
#   - ref: https://nvd.nist.gov/vuln/detail/CVE-2021-33505
#     description: Falco deceived by arguments that change after it read them
# custom:
#   id: IPCW-007
#   severity: medium
#   events: [msgsnd, msgrcv, msgctl, semop, semtimedop, semctl, shmctl]
#   attack: [T1562.006]
#   tags: [CVE-2021-33505, CWE-367]
#   false_positives:
#     - Threads that share a buffer without a lock may fill it anew while a call that was copied long ago still waits; the duration tells.
#     - Brokers that send from memory shared with their clients; suppress them by executable.
package ipcwarden.changed_input

import data.ipcwarden.memory

match if changed[_]

# The places of what is not as it was when the kernel read it.
changed contains place if {
	some place, region in input.memory
	region.changed
	not region.written
	some pair in ["atEntry-atExit", "inKernel-atExit"]
	pair in region.differing
}

evidence["memory"] := {memory.looks(input.memory[place]) | some place in changed}

evidence["durationNs"] := input.durationNs

evidence["sleeps"] := input.sleeps
