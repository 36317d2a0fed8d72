package ipcwarden.served_memory_test

import data.ipcwarden.served_memory as signature

plain := {"byte": "first", "state": "read", "shared": false, "userfaultfd": false}

faulting := {"byte": "last", "state": "read", "shared": false, "userfaultfd": true}

fuse := {"byte": "last", "state": "read", "shared": true, "userfaultfd": false, "fileSystem": "fuse"}

sent(written, mappings) := {
	"eventName": "msgsnd", "flags": [], "returnValue": 0, "durationNs": 1000, "sleeps": 0,
	"arg": {"msqid": 7, "msgp": "0x1337ff8", "msgsz": 16, "msgflg": 0},
	"memory": [{
		"arg": "msgp", "type": "msgbuf", "address": "0x1337ff8", "length": 24, "written": written,
		"mappings": mappings,
	}],
}

test_userfaultfd if {
	signature.match with input as sent(false, [plain, faulting])
	signature.match with input as sent(false, [faulting])
}

test_fuse if signature.match with input as sent(false, [plain, fuse])

# A page of a file that the program has its own copy of, as of its initialised data,
# is read without asking the file system.
test_private_copy_of_a_file if {
	private := object.union(fuse, {"shared": false, "resident": true})
	not signature.match with input as sent(false, [plain, private])
	signature.match with input as sent(false, [plain, object.union(private, {"resident": false})])
}

test_written_memory if {
	signature.match with input as sent(true, [faulting])
	signature.match with input as sent(true, [fuse])
}

test_failed_and_killed_calls if {
	event := sent(false, [faulting])
	signature.match with input as object.union(event, {"returnValue": -14, "error": "EFAULT"})
	signature.match with input as object.union(event, {"unfinished": true})
}

test_second_region if {
	event := sent(false, [plain])
	timeout := object.union(event.memory[0], {"arg": "timeout", "type": "timespec", "mappings": [faulting]})
	signature.match with input as object.union(event, {"memory": array.concat(event.memory, [timeout])})
}

test_evidence if {
	signature.evidence == {
		"memory": {
			{"arg": "msgp", "address": "0x1337ff8", "written": false, "byte": "last", "userfaultfd": true},
			{
				"arg": "msgp", "address": "0x1337ff8", "written": false,
				"byte": "last", "userfaultfd": false, "fileSystem": "fuse",
			},
		},
		"durationNs": 1000, "sleeps": 0, "outcome": "ok",
	} with input as sent(false, [plain, faulting, fuse])
}

test_private_memory if not signature.match with input as sent(false, [plain, plain])

test_other_file_systems if {
	every name in ["tmpfs", "hugetlbfs", "0xef53"] {
		not signature.match with input as sent(false, [object.union(plain, {"fileSystem": name})])
	}
}

test_unread_mapping if {
	not signature.match with input as sent(false, [{"byte": "first", "state": "unread"}])
	not signature.match with input as sent(false, [{"byte": "first", "state": "unmapped"}])
}

test_no_mappings if {
	event := sent(false, [])
	not signature.match with input as object.union(event, {"memory": [object.remove(event.memory[0], ["mappings"])]})
	not signature.match with input as object.remove(event, ["memory"])
}
