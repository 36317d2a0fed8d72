package ipcwarden.many_objects_test

import data.ipcwarden.many_objects as signature

got(name, created) := {
	"eventName": name, "flags": ["IPC_CREAT"], "returnValue": 3,
	"object": {"kind": substring(name, 0, 3), "id": 3, "key": 0, "created": created},
}

test_every_event if {
	every name in ["msgget", "semget", "shmget"] {
		signature.match with input as got(name, true)
	}
}

test_opened if not signature.match with input as got("msgget", false)

test_refused if not signature.match with input as {"eventName": "msgget", "flags": [], "returnValue": -28, "error": "ENOSPC"}
