# METADATA
# title: Keys of IPC objects tried out
# description: |
#   Within ten seconds a process asked for the objects of 32 and more different keys,
#   without the wish to create any, and was turned down. That is a search for what
#   others have: the answer tells which keys exist, and an object whose mode lets the
#   caller in is opened. The keys of known programs, and what ftok makes of files,
#   are few enough to be tried.
# related_resources:
#   - ref: https://attack.mitre.org/techniques/T1082/
#     description: System information discovery
#   - ref: https://cwe.mitre.org/data/definitions/340.html
#     description: Generation of predictable numbers or identifiers
#   - ref: https://man7.org/linux/man-pages/man3/ftok.3.html
#     description: How keys are made
# custom:
#   id: IPCW-039
#   severity: medium
#   events: [msgget, semget, shmget]
#   attack: [T1082]
#   tags: [CWE-340]
#   correlation:
#     type: value_count
#     field: arg.key
#     group_by: [hostProcessId]
#     timespan: 10s
#     condition: {gte: 32}
#   false_positives:
#     - A monitor that looks for the objects of many programs by their keys; suppress it by executable.
#     - Database tools that clean up a range of keys after a crash; suppress them by executable.
package ipcwarden.key_probing

match if {
	input.error in {"ENOENT", "EACCES"}
	not "IPC_CREAT" in input.flags
}

evidence["call"] := input.eventName
