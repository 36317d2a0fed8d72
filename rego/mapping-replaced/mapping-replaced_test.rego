package ipcwarden.mapping_replaced_test

import data.ipcwarden.mapping_replaced as signature

attached := {
	"eventName": "shmat", "via": "syscall", "flags": ["SHM_REMAP"], "returnValue": 140000000000000,
	"arg": {"shmid": 9, "shmaddr": "0x7f0000000000", "shmflg": 16384},
}

test_replaced if {
	signature.match with input as attached
	signature.evidence == {"segment": 9, "address": "0x7f0000000000", "flags": ["SHM_REMAP"]} with input as attached
}

test_through_ipc if signature.match with input as object.union(attached, {"via": "ipc", "returnValue": 0})

test_anywhere if not signature.match with input as object.union(attached, {"flags": []})

test_rounded if not signature.match with input as object.union(attached, {"flags": ["SHM_RND"]})

test_refused if {
	not signature.match with input as object.union(attached, {"returnValue": -22, "error": "EINVAL"})
}

test_killed_in_the_call if {
	not signature.match with input as object.union(attached, {"returnValue": 0, "unfinished": true})
}
