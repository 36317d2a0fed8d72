package ipcwarden.system_inventory_test

import data.ipcwarden.system_inventory as signature

asked(command) := {"eventName": "shmctl", "command": command, "flags": [], "returnValue": 3}

test_every_command if {
	every command in ["IPC_INFO", "MSG_INFO", "SEM_INFO", "SHM_INFO"] {
		signature.match with input as asked(command)
	}
}

test_evidence if signature.evidence == {"command": "SHM_INFO"} with input as asked("SHM_INFO")

test_state_of_one if not signature.match with input as asked("IPC_STAT")

test_refused if {
	not signature.match with input as object.union(asked("SHM_INFO"), {"returnValue": -14, "error": "EFAULT"})
}
