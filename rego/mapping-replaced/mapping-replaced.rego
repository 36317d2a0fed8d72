# METADATA
# title: Shared memory attached over a live mapping
# description: |
#   A process attached a segment with SHM_REMAP, which replaces whatever was mapped at
#   that address: code, a stack, a heap, a page that was protected. It does that
#   without mmap, mprotect or munmap, which other tools watch, and what is there from
#   then on others can change who have the segment attached. Few programs know the
#   flag, which only Linux has.
# related_resources:
#   - ref: https://man7.org/linux/man-pages/man2/shmop.2.html
#     description: SHM_REMAP
#   - ref: https://github.com/torvalds/linux/blob/v6.12/ipc/shm.c
#     description: do_shmat, MAP_FIXED without a look at what is mapped
#   - ref: https://attack.mitre.org/techniques/T1574/
#     description: Hijack execution flow
# custom:
#   id: IPCW-049
#   severity: medium
#   events: [shmat]
#   attack: [T1574]
#   tags: [CWE-668]
#   false_positives:
#     - qemu-user emulates SHM_REMAP with SHM_REMAP; suppress it by executable.
#     - Databases that reserve addresses by a mapping first, and put their segment there; suppress them by executable.
#     - stress-ng and LTP try every flag; suppress them on test hosts.
package ipcwarden.mapping_replaced

import data.ipcwarden.call

match if {
	"SHM_REMAP" in input.flags
	call.succeeded
}

evidence["segment"] := input.arg.shmid

evidence["address"] := input.arg.shmaddr

evidence["flags"] := input.flags
