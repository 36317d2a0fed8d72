package ipcwarden.changed_input_test

import data.ipcwarden.changed_input as signature

operation(number) := {"sem_num": number, "sem_op": -1, "sem_flg": 0, "flags": []}

look(number) := {"state": "read", "bytes": "0000ffff0000", "lengthRead": 6, "sops": [operation(number)]}

# A region of which the looks named in differing are not the same.
region(differing) := {
	"arg": "sops", "type": "sembuf[]", "address": "0x7f0000001000", "length": 6, "written": false,
	"atEntry": look(0), "inKernel": look(1), "atExit": look(2), "changed": true, "differing": differing,
}

operated(regions) := {
	"eventName": "semop", "arg": {"semid": 3, "sops": "0x7f0000001000", "nsops": 1},
	"flags": [], "returnValue": 0, "durationNs": 2000, "sleeps": 0, "memory": regions,
}

same := object.union(object.remove(region([]), ["differing"]), {"changed": false})

test_changed_after_the_kernel_took_it if {
	signature.match with input as operated([region(["atEntry-atExit", "inKernel-atExit"])])
}

test_changed_without_a_copy_of_the_kernel if {
	seen := object.remove(region(["atEntry-atExit"]), ["inKernel"])
	signature.match with input as operated([seen])
}

test_changed_since_the_kernel_took_it if {
	seen := object.remove(region(["inKernel-atExit"]), ["atEntry"])
	signature.match with input as operated([seen])
}

test_second_region if {
	timeout := {
		"arg": "timeout", "type": "timespec", "address": "0x2000", "length": 16, "written": false,
		"atEntry": {"state": "read", "bytes": "00", "lengthRead": 16, "tvSec": 0, "tvNsec": 1},
		"atExit": {"state": "read", "bytes": "01", "lengthRead": 16, "tvSec": 60, "tvNsec": 1},
		"changed": true, "differing": ["atEntry-atExit"],
	}
	event := operated([same, timeout])
	signature.match with input as event
	signature.evidence.memory == {{
		"arg": "timeout", "type": "timespec", "address": "0x2000", "differing": ["atEntry-atExit"],
		"atEntry": {"tvSec": 0, "tvNsec": 1}, "atExit": {"tvSec": 60, "tvNsec": 1},
	}} with input as event
}

test_failed_and_killed_calls if {
	event := operated([region(["atEntry-atExit"])])
	signature.match with input as object.union(event, {"returnValue": -11, "error": "EAGAIN"})
	signature.match with input as object.union(event, {"returnValue": 0, "unfinished": true})
}

test_evidence if {
	signature.evidence == {
		"memory": {{
			"arg": "sops", "type": "sembuf[]", "address": "0x7f0000001000", "differing": ["atEntry-atExit"],
			"atEntry": {"sops": [operation(0)]},
			"inKernel": {"sops": [operation(1)]},
			"atExit": {"sops": [operation(2)]},
		}},
		"durationNs": 2000,
		"sleeps": 0,
	} with input as operated([region(["atEntry-atExit"])])
}

test_long_list_is_left_out if {
	many := object.union(region(["atEntry-atExit"]), {"atEntry": {"sops": [operation(n) | some n in numbers.range(1, 17)]}})
	looks := signature.evidence.memory with input as operated([many])
	some changed in looks
	changed.atEntry == {}
	changed.atExit == {"sops": [operation(2)]}
}

test_text_is_left_out if {
	text := {"state": "read", "bytes": "07", "lengthRead": 16, "mtype": 7, "text": "secret"}
	message := {
		"arg": "msgp", "type": "msgbuf", "address": "0x1000", "length": 8, "written": false,
		"atEntry": text, "atExit": object.union(text, {"text": "other"}),
		"changed": true, "differing": ["atEntry-atExit"],
	}
	signature.evidence.memory == {{
		"arg": "msgp", "type": "msgbuf", "address": "0x1000", "differing": ["atEntry-atExit"],
		"atEntry": {"mtype": 7}, "atExit": {"mtype": 7},
	}} with input as operated([message])
}

test_only_the_kernel_has_other if {
	not signature.match with input as operated([region(["atEntry-inKernel"])])
}

test_unchanged if not signature.match with input as operated([same])

test_not_compared if {
	not signature.match with input as operated([object.remove(region([]), ["changed", "differing"])])
}

test_received_message if {
	written := object.union(region(["atEntry-atExit"]), {"arg": "msgp", "type": "msgbuf", "written": true})
	not signature.match with input as operated([written])
}

test_no_memory if not signature.match with input as object.remove(operated([]), ["memory"])
