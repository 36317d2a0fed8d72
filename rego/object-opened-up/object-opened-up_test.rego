package ipcwarden.object_opened_up_test

import data.ipcwarden.object_opened_up as signature

# 384 is 0600, 438 is 0666.
set(new_mode) := {
	"eventName": "msgctl", "command": "IPC_SET", "flags": [], "returnValue": 0,
	"object": {"kind": "msg", "id": 5, "mode": 384},
	"memory": [{"arg": "buf", "type": "ipc_ds", "atEntry": {"state": "read", "mode": new_mode}}],
}

exchanged := object.union(set(384), {"memory": [{
	"arg": "buf", "type": "ipc_ds",
	"atEntry": {"state": "read", "mode": 384}, "inKernel": {"state": "read", "mode": 438},
}]})

test_opened if {
	every name in ["msgctl", "semctl", "shmctl"] {
		signature.match with input as object.union(set(438), {"eventName": name})
	}
}

test_evidence if signature.evidence == {"mode": "0600", "newMode": "0666"} with input as set(438)

test_what_the_kernel_took if signature.match with input as exchanged

test_group_only if not signature.match with input as set(432)

test_open_before if not signature.match with input as object.union(set(438), {"object": {"mode": 438}})

test_other_command if not signature.match with input as object.union(set(438), {"command": "IPC_STAT"})

test_refused if {
	not signature.match with input as object.union(set(438), {"returnValue": -1, "error": "EPERM"})
}

test_settings_not_seen if not signature.match with input as object.remove(set(438), ["memory"])

test_object_not_seen if not signature.match with input as object.remove(set(438), ["object"])
