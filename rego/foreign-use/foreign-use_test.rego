package ipcwarden.foreign_use_test

import data.ipcwarden.foreign_use as signature

used(name) := {
	"eventName": name, "flags": [], "returnValue": 0, "effectiveUserId": 1002,
	"object": {"kind": "msg", "id": 3, "key": 77, "mode": 438, "ownerUid": 1000, "creatorUid": 1001},
}

test_every_event if {
	every name in ["msgsnd", "msgrcv", "semop", "semtimedop"] {
		signature.match with input as used(name)
	}
}

test_group_is_let_in if signature.match with input as object.union(used("msgrcv"), {"object": {"mode": 432}})

test_nobody_is_let_in if not signature.match with input as object.union(used("msgrcv"), {"object": {"mode": 384}})

test_owner if not signature.match with input as object.union(used("msgrcv"), {"effectiveUserId": 1000})

test_creator if not signature.match with input as object.union(used("msgrcv"), {"effectiveUserId": 1001})

test_refused if {
	not signature.match with input as object.union(used("msgrcv"), {"returnValue": -13, "error": "EACCES"})
}

test_object_not_seen if not signature.match with input as object.remove(used("msgrcv"), ["object"])
