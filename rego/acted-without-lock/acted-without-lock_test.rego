package ipcwarden.acted_without_lock_test

import data.ipcwarden.acted_without_lock as signature

operated(value) := {
	"eventName": "semtimedop",
	"flags": ["IPC_NOWAIT"],
	"returnValue": 0,
	"arg": {"semid": 3, "nsops": 1},
	"memory": [{
		"arg": "sops", "type": "sembuf[]",
		"atEntry": {"state": "read", "sops": [{"sem_num": 0, "sem_op": value, "sem_flg": 2048, "flags": ["IPC_NOWAIT"]}]},
	}],
}

turned_down(document) := object.union(document, {"returnValue": -11, "error": "EAGAIN"})

attached := {"eventName": "shmat", "flags": [], "returnValue": 139637976727552, "arg": {"shmid": 5}}

test_refused if {
	signature.refused with input as turned_down(operated(-1))
	not signature.acquired with input as turned_down(operated(-1))
}

test_acquired if {
	signature.acquired with input as operated(-1)
	not signature.refused with input as operated(-1)
}

test_released if {
	not signature.acquired with input as operated(1)
	not signature.acted with input as operated(1)
}

# A timeout is EAGAIN as well.
test_waited_in_vain if {
	not signature.refused with input as object.union(turned_down(operated(-1)), {"flags": []})
}

test_waiting_for_zero if not signature.refused with input as turned_down(operated(0))

test_operations_not_seen if {
	not signature.refused with input as object.remove(turned_down(operated(-1)), ["memory"])
}

test_attached if signature.acted with input as attached

test_attach_failed if {
	not signature.acted with input as object.union(attached, {"returnValue": -13, "error": "EACCES"})
}

test_evidence if signature.evidence == {"segment": 5} with input as attached
