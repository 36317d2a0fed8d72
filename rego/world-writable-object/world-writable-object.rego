# METADATA
# title: IPC object created that everybody can write to
# description: |
#   A process created a message queue, a semaphore set or a shared memory segment
#   whose mode lets every user of the host write to it. Whoever knows the key or
#   guesses the id can change what the process trusts, or destroy it. Segments
#   without a key are left to IPCW-046: X11 made them so common that they say little.
# related_resources:
#   - ref: https://cwe.mitre.org/data/definitions/732.html
#     description: Incorrect permission assignment for a critical resource
#   - ref: https://man7.org/linux/man-pages/man7/sysvipc.7.html
#     description: Permissions of System V IPC objects
# custom:
#   id: IPCW-002
#   severity: medium
#   events: [msgget, semget, shmget]
#   attack: [T1222.002]
#   tags: [CWE-732]
#   false_positives:
#     - Some databases and transaction monitors rely on nobody knowing the key; suppress them by executable and key.
package ipcwarden.world_writable_object

import data.ipcwarden.number

# The bit by which others can write.
others_write := 2

match if {
	input.object.created
	bits.and(input.object.mode, others_write) != 0
	not private_segment
}

private_segment if {
	input.object.kind == "shm"
	input.object.key == 0 # IPC_PRIVATE
}

evidence["kind"] := input.object.kind

evidence["id"] := input.object.id

evidence["key"] := input.object.key

evidence["mode"] := number.octal(input.object.mode)
