package ipcwarden.temporary_program_test

import data.ipcwarden.temporary_program as signature

created(path) := {
	"eventName": "shmget", "flags": ["IPC_CREAT"], "returnValue": 5, "executable": {"path": path},
	"object": {"kind": "shm", "id": 5, "key": 77, "created": true},
}

test_places if {
	every path in ["/tmp/.x/a", "/var/tmp/a", "/dev/shm/a (deleted)", "/memfd:a (deleted)"] {
		signature.match with input as created(path)
	}
}

test_evidence if signature.evidence == {"executable": "/tmp/a", "key": "0x0000004d"} with input as created("/tmp/a")

test_other_places if {
	every path in ["/usr/bin/a", "/home/u/tmp/a", ""] {
		not signature.match with input as created(path)
	}
}

test_private if not signature.match with input as object.union(created("/tmp/a"), {"object": {"key": 0}})

test_opened if not signature.match with input as object.union(created("/tmp/a"), {"object": {"created": false}})
