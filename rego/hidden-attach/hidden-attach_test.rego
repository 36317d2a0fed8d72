package ipcwarden.hidden_attach_test

import data.ipcwarden.hidden_attach as signature

attached := {
	"eventName": "shmat", "via": "ipc", "ipc": {"call": 21, "version": 0}, "flags": [],
	"returnValue": -14, "error": "EFAULT", "arg": {"shmid": 5, "shmaddr": "0x0", "shmflg": 0},
	"object": {"kind": "shm", "id": 5, "nattch": 1},
}

test_address_not_stored if signature.match with input as attached

test_object_not_seen if signature.match with input as object.remove(attached, ["object"])

test_evidence if signature.evidence == {"segment": 5, "attachedBefore": 1} with input as attached

# A direct call passes the address in a register.
test_direct_call if {
	not signature.match with input as object.union(object.remove(attached, ["ipc"]), {"via": "syscall"})
}

test_refused if {
	not signature.match with input as object.union(attached, {"returnValue": -13, "error": "EACCES"})
}

test_address_stored if {
	not signature.match with input as object.union(object.remove(attached, ["error"]), {"returnValue": 4096})
}
