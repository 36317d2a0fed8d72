# METADATA
# title: Message with a secret in it
# description: |
#   The text of a message looks like a private key, a password, an access token or
#   the hash of a password. Messages lie in the kernel in plain text until somebody
#   receives them, and root, and whoever the mode of the queue lets, can read them;
#   malware uses queues to pass on what it has stolen. The evidence says what kind
#   of secret it is and not the secret, but the event has the beginning of the
#   text, so that alerts then contain secrets: run with --snapshot-bytes 0 finds none.
#   Only the first bytes are looked at, as many as --snapshot-bytes keeps. Off by
#   default: the kernel sends every message for it.
# related_resources:
#   - ref: https://attack.mitre.org/techniques/T1552/
#     description: Unsecured credentials
#   - ref: https://cwe.mitre.org/data/definitions/312.html
#     description: Cleartext storage of sensitive information
#   - ref: https://www.rfc-editor.org/rfc/rfc7468
#     description: Textual encodings of keys
#   - ref: https://manpages.debian.org/bookworm/libcrypt-dev/crypt.5.en.html
#     description: Prefixes of password hashes
# custom:
#   id: IPCW-033
#   severity: medium
#   enabled: false
#   events: [msgsnd]
#   attack: [T1552, T1559]
#   tags: [CWE-312]
#   false_positives:
#     - Programs that pass on passwords by design, such as agents of authentication; suppress them by executable.
#     - Texts about passwords, and messages that merely look like one of these.
package ipcwarden.message_secrets

import data.ipcwarden.call

# None of these is shorter.
shortest := 8

patterns := {
	"private key": `-----BEGIN [A-Z ]*PRIVATE KEY`,
	"password": `(?i)\b(password|passwd|passphrase|secret|api[_-]?key)["']?\s*[:=]\s*["']?[^\s"']{4}`,
	"access token": `\b(AKIA[0-9A-Z]{16}|gh[pousr]_[A-Za-z0-9]{36}|xox[abprs]-[A-Za-z0-9-]{10}|eyJ[A-Za-z0-9_-]{8,}\.eyJ)`,
	"password hash": `\$(1|5|6|7|y|2[abxy])\$[./A-Za-z0-9$,=]{8}`,
}

match if {
	call.succeeded
	input.arg.msgsz >= shortest
	kinds[_]
}

kinds contains kind if {
	some region in input.memory
	some kind, pattern in patterns
	regex.match(pattern, region.atEntry.text)
}

evidence["kinds"] := kinds

evidence["bytes"] := input.arg.msgsz

evidence["queue"] := input.arg.msqid
