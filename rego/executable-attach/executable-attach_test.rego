package ipcwarden.executable_attach_test

import data.ipcwarden.executable_attach as signature

attached(flags) := {
	"eventName": "shmat",
	"flags": flags,
	"arg": {"shmid": 9, "shmaddr": "0x0", "shmflg": 0},
	"returnValue": 140000000000000,
	"object": {"kind": "shm", "id": 9, "mode": 448, "segsz": 8192, "creatorUid": 1000},
}

test_executable if signature.match with input as attached(["SHM_EXEC"])

test_executable_and_read_only if signature.match with input as attached(["SHM_RDONLY", "SHM_EXEC"])

test_evidence if {
	signature.evidence == {
		"segment": 9, "flags": ["SHM_EXEC"], "mode": "0700", "bytes": 8192, "creatorUid": 1000,
	} with input as attached(["SHM_EXEC"])
}

test_object_not_seen if {
	unseen := object.remove(attached(["SHM_EXEC"]), ["object"])
	signature.match with input as unseen
	signature.evidence == {"segment": 9, "flags": ["SHM_EXEC"]} with input as unseen
}

test_plain_attach if not signature.match with input as attached([])

test_read_only_attach if not signature.match with input as attached(["SHM_RDONLY"])

test_refused if {
	not signature.match with input as object.union(attached(["SHM_EXEC"]), {"returnValue": -13, "error": "EACCES"})
}

test_killed_in_the_call if {
	not signature.match with input as object.union(attached(["SHM_EXEC"]), {"returnValue": 0, "unfinished": true})
}
