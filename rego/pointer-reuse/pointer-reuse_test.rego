package ipcwarden.pointer_reuse_test

import data.ipcwarden.pointer_reuse as signature

other(name, writes) := {
	"hostProcessId": 100, "hostThreadId": 102, "eventName": name, "address": "0x1000", "length": 16,
	"writes": writes, "timestamp": 1000,
}

region(arg, written, changed) := {
	"arg": arg, "type": "x", "address": "0x1000", "length": 24, "written": written, "changed": changed,
}

called(name, region, others) := {
	"eventName": name, "flags": [], "returnValue": 0, "durationNs": 1000, "sleeps": 0,
	"memory": [region], "overlaps": others,
}

test_sent_from_where_another_receives if {
	event := called("msgsnd", region("msgp", false, false), [other("msgrcv", true)])
	signature.match with input as event
	signature.reasons == {"the other call writes"} with input as event
}

test_received_to_where_another_sends_from if {
	event := called("msgrcv", object.remove(region("msgp", true, false), ["changed"]), [other("msgsnd", false)])
	signature.match with input as event
	signature.reasons == {"this call writes"} with input as event
}

test_two_receive if {
	event := called("msgrcv", region("msgp", true, true), [other("msgrcv", true)])
	signature.reasons == {"this call writes", "the other call writes"} with input as event
}

test_input_changed if {
	event := called("semop", region("sops", false, true), [other("semop", false)])
	signature.match with input as event
	signature.reasons == {"the input changed"} with input as event
}

test_one_of_several_others_writes if {
	event := called("msgsnd", region("msgp", false, false), [other("msgsnd", false), other("msgctl", true)])
	signature.match with input as event
}

test_failed_and_killed_calls if {
	event := called("msgsnd", region("msgp", false, false), [other("msgrcv", true)])
	signature.match with input as object.union(event, {"returnValue": -11, "error": "EAGAIN"})
	signature.match with input as object.union(event, {"unfinished": true})
}

test_evidence if {
	event := called("msgsnd", region("msgp", false, false), [other("msgrcv", true), other("msgsnd", false)])
	signature.evidence == {
		"reasons": {"the other call writes"},
		"memory": [{"arg": "msgp", "address": "0x1000", "length": 24}],
		"calls": [
			{"process": 100, "thread": 102, "event": "msgrcv", "address": "0x1000", "length": 16, "writes": true},
			{"process": 100, "thread": 102, "event": "msgsnd", "address": "0x1000", "length": 16, "writes": false},
		],
	} with input as event
	omitting := object.union(event, {"overlapsOmitted": 5})
	signature.evidence.callsOmitted == 5 with input as omitting
}

test_constant_operations_of_all_threads if {
	not signature.match with input as called("semop", region("sops", false, false), [other("semop", false)])
}

test_only_read_and_not_compared if {
	uncompared := object.remove(region("sops", false, false), ["changed"])
	not signature.match with input as called("semtimedop", uncompared, [other("semop", false)])
}

test_alone if {
	every event in [
		called("msgrcv", region("msgp", true, false), []),
		called("msgsnd", region("msgp", false, true), []),
	] {
		not signature.match with input as event
		not signature.match with input as object.remove(event, ["overlaps"])
	}
}

test_no_memory if {
	event := called("msgsnd", region("msgp", false, false), [other("msgsnd", false)])
	not signature.match with input as object.remove(event, ["memory"])
}
