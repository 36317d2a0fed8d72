package ipcwarden.message_secrets_test

import data.ipcwarden.message_secrets as signature

sent(text) := {
	"eventName": "msgsnd", "flags": [], "returnValue": 0, "arg": {"msqid": 7, "msgsz": count(text)},
	"memory": [{"arg": "msgp", "type": "msgbuf", "atEntry": {"state": "read", "mtype": 1, "text": text}}],
}

test_kinds if {
	secrets := {
		"private key": ["-----BEGIN OPENSSH PRIVATE KEY-----\nb3Bl", "-----BEGIN PRIVATE KEY-----"],
		"password": ["user=root password=hunter2", `{"API_KEY": "abcdefgh"}`, "passphrase: correct"],
		"access token": [
			concat("", ["key AKIA", "IOSFODNN7EXAMPLE"]), "xoxb-1234567890-abc", "Bearer eyJhbGciOiJI.eyJzdWIi",
		],
		"password hash": ["root:$6$saltsalt$hash", "$y$j9T$abcdefgh"],
	}
	every kind, texts in secrets {
		every text in texts {
			signature.kinds == {kind} with input as sent(text)
			signature.match with input as sent(text)
		}
	}
}

test_evidence_has_no_secret if {
	signature.evidence == {"kinds": {"password"}, "bytes": 16, "queue": 7} with input as sent("password=hunter2")
}

test_not_sent if {
	not signature.match with input as object.union(sent("password=hunter2"), {"returnValue": -22, "error": "EINVAL"})
}

test_short if not signature.match with input as object.union(sent("password=hunter2"), {"arg": {"msgsz": 7}})

test_plain if {
	every text in ["hello", "password", "the password: ", "-----BEGIN PUBLIC KEY-----", "costs $6$ or so", "AKIA"] {
		not signature.match with input as sent(text)
	}
}

test_text_not_kept if {
	not signature.match with input as object.union(sent(""), {"memory": [{"arg": "msgp", "atEntry": {"state": "unreadable"}}]})
}
