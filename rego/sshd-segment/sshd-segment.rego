# METADATA
# title: Large shared memory in an OpenSSH process
# description: |
#   A program of OpenSSH created or attached a large System V segment. OpenSSH uses
#   none. The backdoor Ebury, which lives in a library that sshd and other programs
#   of OpenSSH load, kept the credentials that it had stolen in a segment of three
#   megabytes and more, until ESET made that known; what copies its ways still does.
# related_resources:
#   - ref: https://www.welivesecurity.com/wp-content/uploads/2014/03/operation_windigo.pdf
#     description: ESET, Operation Windigo, which describes the segment
#   - ref: https://www.welivesecurity.com/2014/02/21/an-in-depth-analysis-of-linuxebury/
#     description: ESET, An In-depth Analysis of Linux/Ebury
#   - ref: https://attack.mitre.org/software/S0377/
#     description: Ebury
# custom:
#   id: IPCW-023
#   severity: critical
#   events: [shmget, shmat]
#   attack: [T1559, T1554, T1556.003]
#   tags: [CWE-506]
#   false_positives:
#     - A PAM module or a library that keeps a cache in System V shared memory, which ipcs -mp shows beside sshd; suppress it by executable and key.
package ipcwarden.sshd_segment

import data.ipcwarden.caller
import data.ipcwarden.number

# Ebury's had three megabytes and more; this leaves room for others of the kind.
smallest := 1048576

match if {
	input.object.segsz >= smallest
	got_it
	caller.name in {
		"sshd", "sshd-session", "sshd-auth", "ssh", "ssh-agent", "ssh-add", "ssh-keygen", "sftp-server", "scp", "sftp",
	}
}

got_it if input.object.created

got_it if {
	input.eventName == "shmat"
	not input.error
	not input.unfinished
}

evidence["program"] := caller.name

evidence["bytes"] := input.object.segsz

evidence["mode"] := number.octal(input.object.mode)
