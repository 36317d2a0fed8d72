package ipcwarden.sshd_segment_test

import data.ipcwarden.sshd_segment as signature

created := {
	"eventName": "shmget", "flags": ["IPC_CREAT"], "returnValue": 5, "executable": {"path": "/usr/sbin/sshd"},
	"object": {"kind": "shm", "id": 5, "created": true, "mode": 438, "segsz": 3282312},
}

attached := object.union(created, {
	"eventName": "shmat", "flags": [], "returnValue": 139637976727552, "object": {"created": false},
})

test_created if signature.match with input as created

test_attached if signature.match with input as attached

test_every_program if {
	every name in ["sshd", "sshd-session", "ssh-agent", "ssh (deleted)"] {
		signature.match with input as object.union(created, {"executable": {"path": concat("/", ["/usr/bin", name])}})
	}
}

test_evidence if {
	signature.evidence == {"program": "sshd", "bytes": 3282312, "mode": "0666"} with input as created
}

test_other_program if {
	not signature.match with input as object.union(created, {"executable": {"path": "/usr/lib/postgresql/15/bin/postgres"}})
}

test_small if not signature.match with input as object.union(created, {"object": {"segsz": 1048575}})

test_opened if not signature.match with input as object.union(created, {"object": {"created": false}})

test_not_attached if {
	not signature.match with input as object.union(attached, {"returnValue": -13, "error": "EACCES"})
	not signature.match with input as object.union(attached, {"unfinished": true})
}

test_program_not_known if not signature.match with input as object.union(created, {"executable": {"path": ""}})

test_object_not_seen if not signature.match with input as object.remove(created, ["object"])
