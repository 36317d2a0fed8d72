package ipcwarden.capability_access_test

import data.ipcwarden.capability_access as signature

used(name) := {
	"eventName": name, "flags": [], "returnValue": 0, "effectiveUserId": 0, "executable": {"path": "/usr/bin/python3.11"},
	"object": {"kind": "shm", "id": 3, "key": 0, "mode": 384, "ownerUid": 1000, "creatorUid": 1000},
}

test_every_event if {
	every name in ["msgsnd", "msgrcv", "semop", "semtimedop", "shmat"] {
		signature.match with input as used(name)
	}
}

test_evidence if {
	signature.evidence == {"mode": "0600", "ownerUid": 1000, "effectiveUserId": 0} with input as used("shmat")
}

test_group_is_let_in if not signature.match with input as object.union(used("shmat"), {"object": {"mode": 416}})

test_others_are_let_in if not signature.match with input as object.union(used("shmat"), {"object": {"mode": 388}})

test_owner if not signature.match with input as object.union(used("shmat"), {"object": {"ownerUid": 0}})

test_creator if not signature.match with input as object.union(used("shmat"), {"object": {"creatorUid": 0}})

test_refused if {
	not signature.match with input as object.union(used("shmat"), {"returnValue": -13, "error": "EACCES"})
}

test_display_server if {
	not signature.match with input as object.union(used("shmat"), {"executable": {"path": "/usr/bin/Xvfb"}})
}

test_object_not_seen if not signature.match with input as object.remove(used("shmat"), ["object"])
