package ipcwarden.attach_spray_test

import data.ipcwarden.attach_spray as signature

attached := {
	"eventName": "shmat", "flags": ["SHM_RDONLY"], "returnValue": 139637976727552, "arg": {"shmid": 5},
	"object": {"kind": "shm", "id": 5, "segsz": 4096},
}

test_page if signature.match with input as attached

test_evidence if signature.evidence == {"bytes": 4096} with input as attached

test_larger if not signature.match with input as object.union(attached, {"object": {"segsz": 4097}})

test_refused if {
	not signature.match with input as object.union(attached, {"returnValue": -13, "error": "EACCES"})
}

test_object_not_seen if not signature.match with input as object.remove(attached, ["object"])
