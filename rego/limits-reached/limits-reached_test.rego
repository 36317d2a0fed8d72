package ipcwarden.limits_reached_test

import data.ipcwarden.limits_reached as signature

refused(error) := {"eventName": "msgget", "flags": ["IPC_CREAT"], "returnValue": -28, "error": error, "arg": {"key": 0}}

test_no_identifier if signature.match with input as refused("ENOSPC")

test_no_memory if signature.match with input as refused("ENOMEM")

test_evidence if signature.evidence == {"call": "msgget", "error": "ENOSPC"} with input as refused("ENOSPC")

test_refused_for_another_reason if {
	not signature.match with input as refused("EEXIST")
	not signature.match with input as refused("EACCES")
}

test_created if not signature.match with input as {"eventName": "msgget", "flags": ["IPC_CREAT"], "returnValue": 5}
