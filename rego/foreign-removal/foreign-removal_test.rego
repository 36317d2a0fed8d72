package ipcwarden.foreign_removal_test

import data.ipcwarden.foreign_removal as signature

controlled(name, command, creator, caller) := {
	"eventName": name,
	"command": command,
	"flags": [],
	"returnValue": 0,
	"effectiveUserId": caller,
	"object": {
		"kind": substring(name, 0, 3), "id": 3, "key": 77, "created": false,
		"mode": 384, "ownerUid": creator, "creatorUid": creator,
	},
}

test_every_event_and_command if {
	every name in ["msgctl", "semctl", "shmctl"] {
		every command in ["IPC_RMID", "IPC_SET"] {
			signature.match with input as controlled(name, command, 1000, 0)
		}
	}
}

test_evidence if {
	signature.evidence == {
		"command": "IPC_RMID", "kind": "sem", "id": 3, "key": 77, "mode": "0600",
		"ownerUid": 1000, "creatorUid": 1000, "effectiveUserId": 0,
	} with input as controlled("semctl", "IPC_RMID", 1000, 0)
}

test_own_object if not signature.match with input as controlled("msgctl", "IPC_RMID", 1000, 1000)

test_own_object_changed if not signature.match with input as controlled("shmctl", "IPC_SET", 0, 0)

test_only_looked_at if {
	every command in ["IPC_STAT", "IPC_INFO", "MSG_STAT", "SETVAL"] {
		not signature.match with input as controlled("msgctl", command, 1000, 0)
	}
}

test_unknown_command if {
	not signature.match with input as object.remove(controlled("msgctl", "", 1000, 0), ["command"])
}

test_refused if {
	every name in ["EPERM", "EACCES", "EINVAL", "EIDRM"] {
		refused := object.union(controlled("shmctl", "IPC_RMID", 1000, 1001), {"returnValue": -1, "error": name})
		not signature.match with input as refused
	}
}

test_object_not_seen if {
	not signature.match with input as object.remove(controlled("shmctl", "IPC_RMID", 1000, 0), ["object"])
}
