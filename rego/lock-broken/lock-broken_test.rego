package ipcwarden.lock_broken_test

import data.ipcwarden.lock_broken as signature

operated(value) := {
	"eventName": "semtimedop", "flags": ["IPC_NOWAIT"], "returnValue": 0, "arg": {"semid": 3, "nsops": 1},
	"object": {"kind": "sem", "id": 3},
	"memory": [{
		"arg": "sops", "type": "sembuf[]",
		"atEntry": {"state": "read", "sops": [{"sem_num": 0, "sem_op": value, "sem_flg": 2048, "flags": ["IPC_NOWAIT"]}]},
	}],
}

turned_down(document) := object.union(document, {"returnValue": -11, "error": "EAGAIN"})

set(command) := {
	"eventName": "semctl", "command": command, "flags": [], "returnValue": 0, "arg": {"semid": 3},
	"object": {"kind": "sem", "id": 3},
}

test_refused if {
	signature.refused with input as turned_down(operated(-1))
	not signature.acquired with input as turned_down(operated(-1))
	not signature.broken with input as turned_down(operated(-1))
}

test_refused_after_a_timeout if signature.refused with input as object.union(turned_down(operated(-1)), {"flags": []})

test_waiting_for_zero if not signature.refused with input as turned_down(operated(0))

test_acquired if {
	signature.acquired with input as operated(-1)
	not signature.refused with input as operated(-1)
}

test_released if not signature.acquired with input as operated(1)

test_broken if {
	every command in ["SETVAL", "SETALL", "IPC_RMID"] {
		signature.broken with input as set(command)
	}
}

test_read if not signature.broken with input as set("GETVAL")

test_not_broken if {
	not signature.broken with input as object.union(set("SETVAL"), {"returnValue": -13, "error": "EACCES"})
}

test_evidence if {
	signature.evidence == {"command": "SETVAL"} with input as set("SETVAL")
	signature.evidence == {} with input as turned_down(operated(-1))
}

test_operations_not_seen if {
	not signature.refused with input as object.remove(turned_down(operated(-1)), ["memory"])
}
