package ipcwarden.service_segment_test

import data.ipcwarden.service_segment as signature

# 432 is 0660.
created := {
	"eventName": "shmget", "flags": ["IPC_CREAT"], "returnValue": 5, "executable": {"path": "/usr/sbin/cron"},
	"object": {"kind": "shm", "id": 5, "created": true, "mode": 432, "segsz": 1048576},
}

test_group_is_let_in if signature.match with input as created

test_everybody_is_let_in if signature.match with input as object.union(created, {"object": {"mode": 388}})

test_evidence if {
	signature.evidence == {"program": "cron", "bytes": 1048576, "mode": "0660"} with input as created
}

test_private if not signature.match with input as object.union(created, {"object": {"mode": 384}})

test_small if not signature.match with input as object.union(created, {"object": {"segsz": 1048575}})

test_other_program if {
	not signature.match with input as object.union(created, {"executable": {"path": "/usr/lib/postgresql/15/bin/postgres"}})
}

test_opened if not signature.match with input as object.union(created, {"object": {"created": false}})

test_program_not_known if not signature.match with input as object.union(created, {"executable": {"path": ""}})

test_object_not_seen if not signature.match with input as object.remove(created, ["object"])
