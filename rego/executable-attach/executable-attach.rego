# METADATA
# title: Shared memory attached as executable
# description: |
#   A process attached a System V segment with SHM_EXEC, so that what another
#   process wrote there can run. That is a way to load code that no file holds
#   and no execve shows. Almost no program has a use for it.
# related_resources:
#   - ref: https://attack.mitre.org/techniques/T1620/
#     description: Reflective code loading
#   - ref: https://man7.org/linux/man-pages/man2/shmop.2.html
#     description: SHM_EXEC
# custom:
#   id: IPCW-003
#   severity: high
#   events: [shmat]
#   attack: [T1620]
#   tags: [CWE-829]
#   false_positives:
#     - stress-ng and LTP attach with every flag; suppress them on test hosts.
#     - A just-in-time compiler may share code between its processes this way; suppress it by executable.
package ipcwarden.executable_attach

import data.ipcwarden.call
import data.ipcwarden.number

match if {
	"SHM_EXEC" in input.flags
	call.succeeded
}

evidence["segment"] := input.arg.shmid

evidence["flags"] := input.flags

evidence["mode"] := number.octal(input.object.mode)

evidence["bytes"] := input.object.segsz

evidence["creatorUid"] := input.object.creatorUid
