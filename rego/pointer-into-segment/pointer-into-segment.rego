# METADATA
# title: The kernel was given input in shared memory
# description: |
#   The message, the operations or the settings of a call lie in a System V
#   segment. Every process that has the segment attached can change them while
#   the kernel takes them, after the caller has checked them and after a monitor
#   has looked: the caller acts for somebody else. A program that takes requests
#   through shared memory has to copy them before it checks and uses them.
# related_resources:
#   - ref: https://cwe.mitre.org/data/definitions/367.html
#     description: Time of check, time of use
#   - ref: https://attack.mitre.org/techniques/T1565/003/
#     description: Data changed while it is in use
#   - ref: https://man7.org/linux/man-pages/man2/shmop.2.html
#     description: Attaching a segment
# custom:
#   id: IPCW-011
#   severity: medium
#   events: [msgsnd, msgrcv, msgctl, semop, semtimedop, semctl, shmctl]
#   attack: [T1565.003]
#   tags: [CWE-367]
#   false_positives:
#     - Brokers and databases that send straight from shared memory among processes of their own; suppress them by executable.
#     - A segment that one process alone has attached, as private memory; the evidence says how often it is attached.
package ipcwarden.pointer_into_segment

match if {
	some region in input.memory
	not region.written
	some mapping in region.mappings
	mapping.segment >= 0
}

evidence["memory"] := {place |
	some region in input.memory
	not region.written
	some mapping in region.mappings
	place := {
		"arg": region.arg,
		"address": region.address,
		"byte": mapping.byte,
		"segment": mapping.segment,
		"attached": mapping.attached,
	}
}
