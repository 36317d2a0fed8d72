package ipcwarden.segment_spray_test

import data.ipcwarden.segment_spray as signature

created := {
	"eventName": "shmget", "flags": ["IPC_CREAT"], "returnValue": 5,
	"object": {"kind": "shm", "id": 5, "key": 0, "created": true, "segsz": 4096},
}

test_page if signature.match with input as created

test_evidence if signature.evidence == {"bytes": 4096} with input as created

test_larger if not signature.match with input as object.union(created, {"object": {"segsz": 4097}})

test_known_by_key if not signature.match with input as object.union(created, {"object": {"key": 77}})

test_opened if not signature.match with input as object.union(created, {"object": {"created": false}})

test_object_not_seen if not signature.match with input as object.remove(created, ["object"])
