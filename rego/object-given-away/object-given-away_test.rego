package ipcwarden.object_given_away_test

import data.ipcwarden.object_given_away as signature

set(uid) := {
	"eventName": "shmctl", "command": "IPC_SET", "flags": [], "returnValue": 0, "effectiveUserId": 1000,
	"pidNamespace": 4026531836,
	"object": {"kind": "shm", "id": 5, "ownerUid": 1000, "creatorUid": 1000},
	"memory": [{"arg": "buf", "type": "ipc_ds", "atEntry": {"state": "read", "uid": uid, "gid": 1000, "mode": 384}}],
}

exchanged := object.union(set(1000), {"memory": [{
	"arg": "buf", "type": "ipc_ds",
	"atEntry": {"state": "read", "uid": 1000}, "inKernel": {"state": "read", "uid": 0},
}]})

test_given_to_root if {
	every name in ["msgctl", "semctl", "shmctl"] {
		signature.match with input as object.union(set(0), {"eventName": name})
	}
}

test_evidence if signature.evidence == {"ownerUid": 1000, "newOwnerUid": 0} with input as set(0)

test_what_the_kernel_took if signature.match with input as exchanged

test_same_owner if not signature.match with input as set(1000)

test_root_hands_over if not signature.match with input as object.union(set(33), {"effectiveUserId": 0})

test_other_namespace if not signature.match with input as object.union(set(0), {"pidNamespace": 4026532000})

test_removed if not signature.match with input as object.union(set(0), {"command": "IPC_RMID"})

test_refused if {
	not signature.match with input as object.union(set(0), {"returnValue": -1, "error": "EPERM"})
}

test_settings_not_seen if not signature.match with input as object.remove(set(0), ["memory"])

test_object_not_seen if not signature.match with input as object.remove(set(0), ["object"])
