# METADATA
# title: 64-bit program calls through the 32-bit table
# description: |
#   A process that runs a 64-bit program made a System V IPC call through the system
#   call table of 32-bit programs, as int 0x80 allows on x86-64. No compiler and no
#   library does that. It passes by everything that knows the 64-bit numbers only,
#   seccomp filters without a check of the architecture and many monitors among them,
#   and reaches ipc(2), which has no 64-bit number at all. One alert a minute for
#   each process.
# related_resources:
#   - ref: https://docs.kernel.org/userspace-api/seccomp_filter.html
#     description: Pitfalls, why a filter has to check the architecture
#   - ref: https://man7.org/linux/man-pages/man2/ipc.2.html
#   - ref: https://attack.mitre.org/techniques/T1562/006/
#     description: Indicator blocking
#   - ref: https://cwe.mitre.org/data/definitions/424.html
#     description: Alternate path that is not protected
# custom:
#   id: IPCW-043
#   severity: high
#   events: [msgget, msgsnd, msgrcv, msgctl, semget, semop, semtimedop, semctl, shmget, shmat, shmdt, shmctl]
#   attack: [T1562.006]
#   tags: [CWE-424]
#   correlation:
#     type: event_count
#     group_by: [hostProcessId]
#     timespan: 1m
#     condition: {gte: 1}
#   false_positives:
#     - Emulators that run 32-bit code within a 64-bit process by its own system calls; suppress them by executable.
#     - Tests of the kernel's entry points; suppress them on test hosts.
package ipcwarden.compat_from_64_bit

match if {
	input.contextFlags.isCompat
	input.executable.bits == 64
}

evidence["call"] := input.eventName

evidence["via"] := input.via
