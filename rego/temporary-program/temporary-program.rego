# METADATA
# title: IPC object with a key created by a program in a place for temporary files
# description: |
#   A program that runs from /tmp, /var/tmp, /dev/shm or from no file at all created a
#   semaphore set or a segment under a key. Malware is dropped in such places, and
#   makes sure by a key that it runs once only, or shares the ids of its processes
#   and what it collects in a segment, as RotaJakiro does. Off by default: where
#   programs are developed and tested they run from there all day.
# related_resources:
#   - ref: https://attack.mitre.org/software/S1078/
#     description: RotaJakiro, which shares process ids by shmget
#   - ref: https://attack.mitre.org/techniques/T1480/002/
#     description: Mutual exclusion
#   - ref: https://blog.netlab.360.com/stealth_rotajakiro_backdoor_en/
#     description: Netlab 360, the RotaJakiro backdoor
# custom:
#   id: IPCW-047
#   severity: medium
#   enabled: false
#   events: [semget, shmget]
#   attack: [T1480.002, T1559]
#   tags: [CWE-506]
#   false_positives:
#     - Programs that are built and tested below /tmp, as go test does; suppress them by user or executable.
#     - Installers that unpack themselves there; suppress them by executable.
package ipcwarden.temporary_program

import data.ipcwarden.number

places := ["/tmp/", "/var/tmp/", "/dev/shm/", "/run/shm/", "/memfd:"]

match if {
	input.object.created
	input.object.key != 0
	strings.any_prefix_match(input.executable.path, places)
}

evidence["executable"] := input.executable.path

evidence["key"] := number.key(input.object.key)
