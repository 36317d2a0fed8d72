package ipcwarden.operations_test

import data.ipcwarden.operations

sops := [{"sem_num": 0, "sem_op": -1, "flags": []}]

call(count, region) := {"arg": {"nsops": count}, "memory": [
	{"type": "timespec", "atEntry": {"state": "read"}},
	object.union({"type": "sembuf[]"}, region),
]}

read := {"state": "read", "sops": sops}

test_known if {
	operations.at_entry == sops with input as call(1, {"atEntry": read})
	operations.in_kernel == sops with input as call(1, {"inKernel": read})
}

test_unknown if {
	every seen in [{"state": "cut", "sops": sops}, {"state": "unreadable"}] {
		not operations.at_entry with input as call(1, {"atEntry": seen})
	}
	not operations.at_entry with input as call(2, {"atEntry": read})
	not operations.at_entry with input as call(1, {"inKernel": read})
	not operations.in_kernel with input as call(1, {"atEntry": read})
	not operations.at_entry with input as {"arg": {"nsops": 1}}
}

test_none_waits if {
	operations.none_waits([])
	operations.none_waits([{"sem_op": -1, "flags": ["IPC_NOWAIT"]}, {"sem_op": 1, "flags": ["SEM_UNDO"]}])
	not operations.none_waits([{"sem_op": -1, "flags": ["IPC_NOWAIT"]}, {"sem_op": 0, "flags": []}])
	not operations.none_waits(sops)
}
