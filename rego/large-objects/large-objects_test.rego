package ipcwarden.large_objects_test

import data.ipcwarden.large_objects as signature

segment(bytes) := {
	"eventName": "shmget", "flags": ["IPC_CREAT"], "returnValue": 5,
	"object": {"kind": "shm", "id": 5, "created": true, "segsz": bytes},
}

set(semaphores) := {
	"eventName": "semget", "flags": ["IPC_CREAT"], "returnValue": 5,
	"object": {"kind": "sem", "id": 5, "created": true, "nsems": semaphores},
}

test_segment if signature.match with input as segment(67108864)

test_set if signature.match with input as set(8192)

test_evidence if {
	signature.evidence == {"kind": "shm"} with input as segment(67108864)
	signature.evidence == {"kind": "sem"} with input as set(8192)
}

test_smaller if {
	not signature.match with input as segment(67108863)
	not signature.match with input as set(8191)
}

test_opened if {
	not signature.match with input as object.union(segment(67108864), {"object": {"created": false}})
	not signature.match with input as object.union(set(8192), {"object": {"created": false}})
}

test_object_not_seen if not signature.match with input as object.remove(set(8192), ["object"])
