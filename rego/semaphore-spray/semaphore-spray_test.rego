package ipcwarden.semaphore_spray_test

import data.ipcwarden.semaphore_spray as signature

created := {
	"eventName": "semget", "flags": ["IPC_CREAT"], "returnValue": 5,
	"object": {"kind": "sem", "id": 5, "key": 0, "created": true, "nsems": 8},
}

test_created if signature.match with input as created

test_evidence if signature.evidence == {"semaphores": 8} with input as created

test_known_by_key if not signature.match with input as object.union(created, {"object": {"key": 77}})

test_opened if not signature.match with input as object.union(created, {"object": {"created": false}})

test_object_not_seen if not signature.match with input as object.remove(created, ["object"])
