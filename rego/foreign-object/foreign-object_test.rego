package ipcwarden.foreign_object_test

import data.ipcwarden.foreign_object as signature

used(name, owner, creator, caller) := {
	"eventName": name,
	"flags": [],
	"returnValue": 3,
	"effectiveUserId": caller,
	"object": {
		"kind": substring(name, 0, 3), "id": 3, "key": 77, "created": false,
		"mode": 438, "ownerUid": owner, "creatorUid": creator,
	},
}

test_every_event if {
	every name in ["msgget", "semget", "shmget", "shmat"] {
		signature.match with input as used(name, 1000, 1000, 1001)
	}
}

test_root_too if signature.match with input as used("shmat", 1000, 1000, 0)

test_open_or_create_of_a_foreign_object if {
	signature.match with input as object.union(used("shmget", 1000, 1000, 0), {"flags": ["IPC_CREAT"]})
}

test_evidence if {
	signature.evidence == {
		"kind": "shm", "id": 3, "key": 77, "mode": "0666",
		"ownerUid": 1000, "creatorUid": 1002, "effectiveUserId": 1001,
	} with input as used("shmget", 1000, 1002, 1001)
}

test_own_object if not signature.match with input as used("shmat", 1000, 1000, 1000)

test_owned_but_created_by_root if not signature.match with input as used("shmat", 1000, 0, 1000)

test_created_but_handed_over if not signature.match with input as used("shmat", 1000, 0, 0)

test_new_object if {
	created := object.union(used("shmget", 1000, 1000, 1001), {"object": {"created": true}})
	not signature.match with input as created
}

test_open_or_create_of_an_own_object if {
	not signature.match with input as object.union(used("shmget", 1000, 1000, 1000), {"flags": ["IPC_CREAT"]})
}

test_refused if {
	refused := object.union(used("shmat", 1000, 1000, 1001), {"returnValue": -13, "error": "EACCES"})
	not signature.match with input as refused
}

test_display_server if {
	client := object.union(used("shmat", 1000, 1000, 0), {"object": {"key": 0}, "executable": {"path": "/usr/bin/Xvfb"}})
	not signature.match with input as client
	signature.match with input as object.union(client, {"executable": {"path": "/usr/bin/xterm"}})
}

test_object_not_seen if {
	not signature.match with input as object.remove(used("shmat", 1000, 1000, 1001), ["object"])
}
