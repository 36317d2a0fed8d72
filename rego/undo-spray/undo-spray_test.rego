package ipcwarden.undo_spray_test

import data.ipcwarden.undo_spray as signature

operated := {
	"eventName": "semtimedop", "flags": ["SEM_UNDO"], "returnValue": 0, "arg": {"semid": 3, "nsops": 1},
	"object": {"kind": "sem", "id": 3, "key": 0},
}

test_undo if {
	signature.match with input as operated
	signature.match with input as object.union(operated, {"eventName": "semop"})
}

test_without_undo if not signature.match with input as object.union(operated, {"flags": ["IPC_NOWAIT"]})

test_known_by_key if not signature.match with input as object.union(operated, {"object": {"key": 77}})

test_refused if {
	not signature.match with input as object.union(operated, {"returnValue": -11, "error": "EAGAIN"})
}

test_object_not_seen if not signature.match with input as object.remove(operated, ["object"])
