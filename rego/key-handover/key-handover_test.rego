package ipcwarden.key_handover_test

import data.ipcwarden.key_handover as signature

created := {
	"eventName": "semget", "flags": ["IPC_CREAT"], "returnValue": 3, "effectiveUserId": 1000,
	"object": {"kind": "sem", "id": 3, "key": 77, "created": true, "creatorUid": 1000},
}

removed := {
	"eventName": "semctl", "command": "IPC_RMID", "flags": [], "returnValue": 0, "effectiveUserId": 0,
	"object": {"kind": "sem", "id": 3, "key": 77, "creatorUid": 0},
}

test_created if signature.match with input as created

test_removed if signature.match with input as removed

test_evidence if signature.evidence == {"creatorUid": 0} with input as removed

test_opened if not signature.match with input as object.union(created, {"object": {"created": false}})

test_private if {
	not signature.match with input as object.union(created, {"object": {"key": 0}})
	not signature.match with input as object.union(removed, {"object": {"key": 0}})
}

test_not_removed if {
	not signature.match with input as object.union(removed, {"returnValue": -1, "error": "EPERM"})
}

test_changed if not signature.match with input as object.union(removed, {"command": "IPC_SET"})

test_object_not_seen if {
	not signature.match with input as object.remove(created, ["object"])
	not signature.match with input as object.remove(removed, ["object"])
}
