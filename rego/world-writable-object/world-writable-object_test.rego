package ipcwarden.world_writable_object_test

import data.ipcwarden.world_writable_object as signature

# 438 is 0666.
created(kind, mode) := {
	"eventName": sprintf("%sget", [kind]),
	"flags": ["IPC_CREAT", "IPC_EXCL"],
	"returnValue": 5,
	"object": {"kind": kind, "id": 5, "key": 4660, "created": true, "mode": mode},
}

test_every_kind if {
	every kind in ["msg", "sem", "shm"] {
		signature.match with input as created(kind, 438)
	}
}

test_write_for_others_only if signature.match with input as created("shm", 2)

test_evidence if {
	signature.evidence == {"kind": "shm", "id": 5, "key": 4660, "mode": "0666"} with input as created("shm", 438)
}

test_mode_above_the_permissions if {
	signature.evidence.mode == "0666" with input as created("shm", 438 + 512)
}

test_without_a_key if {
	private := {"object": {"key": 0}}
	signature.match with input as object.union(created("msg", 438), private)
	signature.match with input as object.union(created("sem", 438), private)
	not signature.match with input as object.union(created("shm", 438), private)
}

test_owner_only if not signature.match with input as created("shm", 384)

test_group_can_write if not signature.match with input as created("msg", 432)

test_others_can_read if not signature.match with input as created("sem", 420)

test_existing_object_opened if {
	existing := object.union(created("shm", 438), {"object": {"created": false}, "flags": ["IPC_CREAT"]})
	not signature.match with input as existing
}

test_failed_creation if {
	not signature.match with input as {
		"eventName": "shmget", "flags": ["IPC_CREAT"], "returnValue": -28, "error": "ENOSPC",
	}
}

test_creation_refused_as_it_exists if {
	refused := object.union(created("shm", 438), {"object": {"created": false}, "returnValue": -17, "error": "EEXIST"})
	not signature.match with input as refused
}
