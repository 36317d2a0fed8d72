# METADATA
# title: IPC object created that everybody can write to
# description: |
#   A process created a message queue, a semaphore set or a shared memory segment
#   whose mode lets every user of the host write to it. Whoever knows the key or
#   guesses the id can change what the process trusts, or destroy it: Mesa
#   (CVE-2019-5068) and Qt (CVE-2013-0254) leaked and lost control of their
#   windows' contents through segments of mode 0777 and the like.
# related_resources:
#   - ref: https://cwe.mitre.org/data/definitions/732.html
#     description: Incorrect permission assignment for a critical resource
#   - ref: https://nvd.nist.gov/vuln/detail/CVE-2019-5068
#   - ref: https://nvd.nist.gov/vuln/detail/CVE-2013-0254
#   - ref: https://man7.org/linux/man-pages/man7/sysvipc.7.html
#     description: Permissions of System V IPC objects
# custom:
#   id: IPCW-002
#   severity: medium
#   events: [msgget, semget, shmget]
#   attack: [T1222.002]
#   tags: [CWE-732]
#   false_positives:
#     - Old X11 clients create segments of mode 0777 for MIT-SHM, with IPC_PRIVATE; the evidence has the key, 0 there.
#     - Some databases and transaction monitors rely on nobody knowing the key; suppress them by executable and key.
package ipcwarden.world_writable_object

import data.ipcwarden.number

# The bit by which others can write.
others_write := 2

match if {
	input.object.created
	bits.and(input.object.mode, others_write) != 0
}

evidence["kind"] := input.object.kind

evidence["id"] := input.object.id

evidence["key"] := input.object.key

evidence["mode"] := number.octal(input.object.mode)
