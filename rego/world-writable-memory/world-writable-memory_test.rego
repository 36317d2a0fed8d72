package ipcwarden.world_writable_memory_test

import data.ipcwarden.world_writable_memory as signature

# 511 is 0777.
segment := {"kind": "shm", "id": 5, "key": 0, "created": true, "mode": 511, "segsz": 4096}

created(changes) := {
	"eventName": "shmget",
	"flags": ["IPC_CREAT"],
	"returnValue": 5,
	"object": object.union(segment, changes),
}

test_created if signature.match with input as created({})

test_write_for_others_only if signature.match with input as created({"mode": 2})

test_evidence if {
	signature.evidence == {"id": 5, "bytes": 4096, "mode": "0777"} with input as created({})
}

test_keyed if not signature.match with input as created({"key": 4660})

test_owner_only if not signature.match with input as created({"mode": 384})

test_others_can_read if not signature.match with input as created({"mode": 420})

test_opened if not signature.match with input as created({"created": false})

test_failed_creation if {
	not signature.match with input as {
		"eventName": "shmget", "flags": ["IPC_CREAT"], "returnValue": -28, "error": "ENOSPC",
	}
}
