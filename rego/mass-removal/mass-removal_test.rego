package ipcwarden.mass_removal_test

import data.ipcwarden.mass_removal as signature

removed(name, owner, creator) := {
	"eventName": name, "command": "IPC_RMID", "flags": [], "returnValue": 0, "effectiveUserId": 0,
	"object": {"kind": substring(name, 0, 3), "id": 3, "ownerUid": owner, "creatorUid": creator},
}

test_every_kind if {
	every name in ["msgctl", "semctl", "shmctl"] {
		signature.match with input as removed(name, 1000, 1000)
	}
}

test_evidence if {
	signature.evidence == {"kind": "shm", "creatorUid": 1000} with input as removed("shmctl", 1000, 1000)
}

test_own if not signature.match with input as removed("msgctl", 0, 1000)

test_created if not signature.match with input as removed("msgctl", 1000, 0)

test_changed if {
	not signature.match with input as object.union(removed("msgctl", 1000, 1000), {"command": "IPC_SET"})
}

test_refused if {
	not signature.match with input as object.union(removed("msgctl", 1000, 1000), {"returnValue": -1, "error": "EPERM"})
}

test_object_not_seen if not signature.match with input as object.remove(removed("msgctl", 1000, 1000), ["object"])
