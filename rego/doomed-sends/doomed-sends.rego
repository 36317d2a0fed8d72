# METADATA
# title: Messages sent again and again where none can arrive
# description: |
#   Within a second a process sent 20 and more messages of half a kilobyte and more
#   to queues that do not exist, or that it must not write to. The kernel allocates
#   and fills a message before it looks at the queue, and frees it when it finds
#   out: so calls that fail write what the caller likes into freed memory of the
#   kernel's heap, with no queue to be seen afterwards. Programs notice that their
#   queue is gone.
# related_resources:
#   - ref: https://github.com/torvalds/linux/blob/v6.12/ipc/msg.c
#     description: do_msgsnd, load_msg before msq_obtain_object_check
#   - ref: https://man7.org/linux/man-pages/man2/msgop.2.html
#   - ref: https://attack.mitre.org/techniques/T1068/
#     description: Exploitation for privilege escalation
# custom:
#   id: IPCW-032
#   severity: medium
#   events: [msgsnd]
#   attack: [T1068]
#   tags: [CWE-416]
#   correlation:
#     type: event_count
#     group_by: [hostProcessId]
#     timespan: 1s
#     condition: {gte: 20}
#   false_positives:
#     - A client that sends on in a loop after its server has removed the queue; that is a mistake to be mended.
#     - Stress tests that go on while their queue is removed; suppress them on test hosts.
package ipcwarden.doomed_sends

smallest := 512

match if {
	input.error in {"EINVAL", "EACCES", "EIDRM"}
	input.arg.msgsz >= smallest
	input.arg.msqid >= 0 # others are refused before anything is allocated
}

evidence["bytes"] := input.arg.msgsz

evidence["error"] := input.error
