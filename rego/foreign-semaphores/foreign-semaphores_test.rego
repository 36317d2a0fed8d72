package ipcwarden.foreign_semaphores_test

import data.ipcwarden.foreign_semaphores as signature

set(command) := {
	"eventName": "semctl", "command": command, "flags": [], "returnValue": 0, "effectiveUserId": 1001,
	"arg": {"semid": 3, "semnum": 2}, "object": {"kind": "sem", "id": 3, "ownerUid": 1000, "creatorUid": 1000},
}

test_one if signature.match with input as set("SETVAL")

test_all if signature.match with input as set("SETALL")

test_evidence if {
	signature.evidence == {"command": "SETVAL", "semaphore": 2, "ownerUid": 1000} with input as set("SETVAL")
	signature.evidence == {"command": "SETALL", "ownerUid": 1000} with input as set("SETALL")
}

test_read if not signature.match with input as set("GETALL")

test_owner if not signature.match with input as object.union(set("SETVAL"), {"object": {"ownerUid": 1001}})

test_creator if not signature.match with input as object.union(set("SETVAL"), {"object": {"creatorUid": 1001}})

test_refused if {
	not signature.match with input as object.union(set("SETVAL"), {"returnValue": -13, "error": "EACCES"})
}

test_object_not_seen if not signature.match with input as object.remove(set("SETVAL"), ["object"])
