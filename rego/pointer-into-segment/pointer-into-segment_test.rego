package ipcwarden.pointer_into_segment_test

import data.ipcwarden.pointer_into_segment as signature

private := {"byte": "first", "state": "read", "shared": false, "userfaultfd": false}

segment(byte, id) := {
	"byte": byte, "state": "read", "shared": true, "userfaultfd": false,
	"fileSystem": "tmpfs", "segment": id, "attached": 2,
}

sent(written, mappings) := {
	"eventName": "msgsnd", "flags": [], "returnValue": 0,
	"arg": {"msqid": 7, "msgp": "0x7f0000001ff8", "msgsz": 16, "msgflg": 0},
	"memory": [{
		"arg": "msgp", "type": "msgbuf", "address": "0x7f0000001ff8", "length": 24, "written": written,
		"mappings": mappings,
	}],
}

test_message_in_a_segment if {
	signature.match with input as sent(false, [segment("first", 9), segment("last", 9)])
}

test_end_of_the_message_in_a_segment if signature.match with input as sent(false, [private, segment("last", 9)])

test_segment_with_the_id_zero if signature.match with input as sent(false, [segment("first", 0)])

test_failed_and_killed_calls if {
	event := sent(false, [segment("first", 9)])
	signature.match with input as object.union(event, {"returnValue": -11, "error": "EAGAIN"})
	signature.match with input as object.union(event, {"unfinished": true})
}

test_second_region if {
	event := sent(false, [private])
	pointer := object.union(event.memory[0], {"arg": "*ptr", "type": "pointer", "mappings": [segment("first", 9)]})
	signature.match with input as object.union(event, {"memory": array.concat(event.memory, [pointer])})
}

test_evidence if {
	signature.evidence == {"memory": {{
		"arg": "msgp", "address": "0x7f0000001ff8", "byte": "last", "segment": 9, "attached": 2,
	}}} with input as sent(false, [private, segment("last", 9)])
}

test_received_into_a_segment if not signature.match with input as sent(true, [segment("first", 9)])

test_private_memory if not signature.match with input as sent(false, [private])

test_other_shared_memory if {
	tmpfs := {"byte": "first", "state": "read", "shared": true, "userfaultfd": false, "fileSystem": "tmpfs"}
	not signature.match with input as sent(false, [tmpfs])
}

test_unread_mapping if not signature.match with input as sent(false, [{"byte": "first", "state": "unread"}])

test_no_mappings if {
	event := sent(false, [])
	not signature.match with input as object.union(event, {"memory": [object.remove(event.memory[0], ["mappings"])]})
	not signature.match with input as object.remove(event, ["memory"])
}
