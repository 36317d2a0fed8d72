package ipcwarden.nowait_spin_test

import data.ipcwarden.nowait_spin as signature

call(name, flags, error) := {"eventName": name, "flags": flags, "returnValue": -11, "error": error}

test_refused if {
	every name in ["msgsnd", "semop", "semtimedop"] {
		signature.match with input as call(name, ["IPC_NOWAIT"], "EAGAIN")
	}
	signature.match with input as call("msgrcv", ["IPC_NOWAIT", "MSG_NOERROR"], "ENOMSG")
}

test_waited_in_vain if not signature.match with input as call("semtimedop", [], "EAGAIN")

test_other_error if not signature.match with input as call("msgrcv", ["IPC_NOWAIT"], "EACCES")

test_got_it if {
	not signature.match with input as {"eventName": "msgrcv", "flags": ["IPC_NOWAIT"], "returnValue": 4}
}
