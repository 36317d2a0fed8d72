package ipcwarden.object_enumeration_test

import data.ipcwarden.object_enumeration as signature

asked(name, command) := {"eventName": name, "command": command, "flags": [], "returnValue": 7}

test_by_index if {
	every kind in ["msg", "sem", "shm"] {
		every form in ["STAT", "STAT_ANY"] {
			signature.match with input as asked(concat("", [kind, "ctl"]), concat("_", [upper(kind), form]))
		}
	}
}

# An empty place in the table.
test_nothing_there if {
	signature.match with input as object.union(asked("shmctl", "SHM_STAT"), {"returnValue": -22, "error": "EINVAL"})
}

test_by_id if not signature.match with input as asked("shmctl", "IPC_STAT")

test_limits if not signature.match with input as asked("shmctl", "SHM_INFO")

test_no_command if not signature.match with input as object.remove(asked("shmctl", ""), ["command"])
