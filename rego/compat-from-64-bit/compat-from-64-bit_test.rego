package ipcwarden.compat_from_64_bit_test

import data.ipcwarden.compat_from_64_bit as signature

called(compat, bits) := {
	"eventName": "msgsnd", "via": "ipc", "flags": [], "returnValue": 0,
	"contextFlags": {"isCompat": compat, "containerStarted": false},
	"executable": {"path": "/usr/bin/a", "bits": bits},
}

test_64_bit_program if signature.match with input as called(true, 64)

test_evidence if signature.evidence == {"call": "msgsnd", "via": "ipc"} with input as called(true, 64)

test_32_bit_program if not signature.match with input as called(true, 32)

test_native_call if not signature.match with input as called(false, 64)

test_program_not_known if {
	not signature.match with input as object.union(object.remove(called(true, 64), ["executable"]), {"executable": {"path": ""}})
}
