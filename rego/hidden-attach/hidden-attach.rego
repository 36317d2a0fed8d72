# METADATA
# title: Segment attached by a call that says it failed
# description: |
#   shmat through ipc(2) ended with EFAULT. The kernel attaches the segment first,
#   and then stores its address where the third parameter points to; if nothing can
#   be stored there it reports the error, and leaves the segment attached. So the
#   process has the memory of a call that, as every monitor records it, failed. No
#   other mistake makes this call end like that.
# related_resources:
#   - ref: https://github.com/torvalds/linux/blob/v6.12/ipc/syscall.c
#     description: SHMAT in ksys_ipc, put_user after do_shmat
#   - ref: https://man7.org/linux/man-pages/man2/ipc.2.html
#   - ref: https://attack.mitre.org/techniques/T1564/
#     description: Hide artifacts
# custom:
#   id: IPCW-019
#   severity: high
#   events: [shmat]
#   attack: [T1564]
#   tags: [CWE-393]
#   false_positives:
#     - A 32-bit program that passes a bad pointer to ipc by mistake loses the segment's memory; the C library never does.
#     - Kernel tests such as LTP and syzkaller; suppress them on test hosts.
package ipcwarden.hidden_attach

match if {
	input.via == "ipc"
	input.error == "EFAULT"
}

evidence["segment"] := input.arg.shmid

evidence["attachedBefore"] := input.object.nattch
