package ipcwarden.doomed_sends_test

import data.ipcwarden.doomed_sends as signature

refused(error) := {
	"eventName": "msgsnd", "flags": ["IPC_NOWAIT"], "returnValue": -22, "error": error, "arg": {"msqid": 7, "msgsz": 976},
}

test_no_way_to_arrive if {
	every error in ["EINVAL", "EACCES", "EIDRM"] {
		signature.match with input as refused(error)
	}
}

test_evidence if signature.evidence == {"bytes": 976, "error": "EACCES"} with input as refused("EACCES")

test_queue_full if not signature.match with input as refused("EAGAIN")

test_small if not signature.match with input as object.union(refused("EINVAL"), {"arg": {"msgsz": 511}})

test_no_id if not signature.match with input as object.union(refused("EINVAL"), {"arg": {"msqid": -1}})

test_sent if {
	not signature.match with input as object.union(object.remove(refused("EINVAL"), ["error"]), {"returnValue": 0})
}
