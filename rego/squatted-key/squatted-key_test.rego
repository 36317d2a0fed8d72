package ipcwarden.squatted_key_test

import data.ipcwarden.squatted_key as signature

opened(user, creator) := {
	"eventName": "shmget", "flags": ["IPC_CREAT"], "returnValue": 3, "effectiveUserId": user,
	"object": {
		"kind": "shm", "id": 3, "key": 4660, "created": false, "mode": 438,
		"ownerUid": creator, "creatorUid": creator,
	},
}

refused(user, creator) := object.union(opened(user, creator), {
	"flags": ["IPC_CREAT", "IPC_EXCL"], "returnValue": -17, "error": "EEXIST",
})

test_root_meets_a_user if {
	every name in ["msgget", "semget", "shmget"] {
		signature.match with input as object.union(opened(0, 1000), {"eventName": name})
	}
}

test_root_meets_a_service if signature.match with input as opened(0, 33)

test_service_meets_a_user if signature.match with input as opened(33, 1000)

test_refused if signature.match with input as refused(33, 1000)

test_evidence if {
	signature.evidence == {
		"service": {"uses it"}, "key": "0x00001234", "mode": "0666", "creatorUid": 1000,
	} with input as opened(0, 1000)
	signature.evidence.service == {"was refused"} with input as refused(0, 1000)
}

test_two_services if not signature.match with input as opened(33, 34)

test_user_meets_root if not signature.match with input as opened(1000, 0)

test_two_users if not signature.match with input as opened(1001, 1000)

test_own_object if not signature.match with input as opened(0, 0)

test_handed_to_the_service if {
	not signature.match with input as object.union(opened(33, 1000), {"object": {"ownerUid": 33}})
}

test_opened_only if not signature.match with input as object.union(opened(0, 1000), {"flags": []})

test_created if not signature.match with input as object.union(opened(0, 1000), {"object": {"created": true}})

test_no_permission if {
	not signature.match with input as object.union(opened(33, 1000), {"returnValue": -13, "error": "EACCES"})
}

test_object_not_seen if not signature.match with input as object.remove(opened(0, 1000), ["object"])
