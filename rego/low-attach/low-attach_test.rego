package ipcwarden.low_attach_test

import data.ipcwarden.low_attach as signature

attached(address, flags, returned) := {
	"eventName": "shmat",
	"via": "syscall",
	"flags": flags,
	"arg": {"shmid": 9, "shmaddr": address, "shmflg": 0},
	"returnValue": returned,
}

refused(address, flags, name) := object.union(attached(address, flags, -1), {"error": name})

high := 140000000000000

test_rounds_to_the_null_page if {
	signature.match with input as attached("0x1", ["SHM_RND"], 0)
	signature.reasons == {"asked for a low address", "got a low address"} with input as attached("0x1", ["SHM_RND"], 0)
}

test_refused_attempt if {
	every name in ["EPERM", "EINVAL", "EACCES"] {
		signature.match with input as refused("0xfff", ["SHM_RND"], name)
	}
	signature.evidence == {
		"reasons": {"asked for a low address"}, "asked": "0xfff", "flags": ["SHM_RND"], "outcome": "EPERM",
	} with input as refused("0xfff", ["SHM_RND"], "EPERM")
}

test_aligned_low_address if signature.match with input as refused("0xf000", [], "EPERM")

test_last_low_address if {
	signature.match with input as refused("0xffff", ["SHM_RND"], "EPERM")
	not signature.match with input as refused("0x10000", ["SHM_RND"], "EPERM")
}

test_low_address_given_by_the_kernel if {
	signature.reasons == {"got a low address"} with input as attached("0x0", [], 4096)
}

test_address_returned if {
	signature.evidence.returned == 4096 with input as attached("0x0", [], 4096)
}

test_replaced_mapping if {
	not signature.match with input as attached("0x7f0000000000", ["SHM_REMAP"], high)
}

test_null_page_through_ipc if {
	read := [{"arg": "third", "atExit": {"state": "read", "bytes": "00000000"}}]
	event := object.union(attached("0x0", [], 0), {"via": "ipc", "memory": read})
	signature.match with input as event
}

test_unread_address_through_ipc if {
	unread := [{"arg": "third", "atExit": {"state": "unreadable", "bytes": ""}}]
	event := object.union(attached("0x0", [], 0), {"via": "ipc", "memory": unread})
	not signature.match with input as event
}

test_kernel_chooses if not signature.match with input as attached("0x0", [], high)

test_kernel_chooses_and_rounds if not signature.match with input as attached("0x0", ["SHM_RND"], high)

test_high_address if not signature.match with input as attached("0x7f0000000000", ["SHM_RND"], high)

test_highest_address if not signature.match with input as refused("0xffffffffffffffff", ["SHM_RND"], "EINVAL")

test_unaligned_without_rounding if not signature.match with input as refused("0x1", [], "EINVAL")

test_killed_in_the_call if {
	event := object.union(attached("0x7f0000000000", ["SHM_RND"], 0), {"unfinished": true})
	not signature.match with input as event
}
