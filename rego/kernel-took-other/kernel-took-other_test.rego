package ipcwarden.kernel_took_other_test

import data.ipcwarden.kernel_took_other as signature

waiting(number) := {"sem_num": number, "sem_op": -1, "sem_flg": 0, "flags": []}

hasty(number) := {"sem_num": number, "sem_op": -1, "sem_flg": 2048, "flags": ["IPC_NOWAIT"]}

look(operations) := {
	"state": "read", "bytes": "00", "lengthRead": 6 * count(operations), "sops": operations,
}

# A call that took 1 µs, of operations on a set of four.
operated(operations) := {
	"eventName": "semop",
	"via": "syscall",
	"arg": {"semid": 3, "sops": "0x7f0000001000", "nsops": count(operations)},
	"flags": [flag | some flag in {flag | some flag in operations[_].flags}],
	"returnValue": 0,
	"durationNs": 1000,
	"sleeps": 0,
	"object": {"kind": "sem", "id": 3, "nsems": 4},
	"memory": [{
		"arg": "sops", "type": "sembuf[]", "address": "0x7f0000001000", "length": 6 * count(operations),
		"written": false, "atEntry": look(operations),
	}],
}

failed(operations, name) := object.union(operated(operations), {"returnValue": -1, "error": name})

slept(operations) := object.union(operated(operations), {"durationNs": 2000000, "sleeps": 1})

timed(event, timeout) := object.union(event, {"eventName": "semtimedop", "arg": {"timeout": timeout}})

# The same event with the kernel's own copy of the operations.
copied(event, operations) := object.union(event, {"memory": [object.union(event.memory[0], {"inKernel": look(operations)})]})

looked(event, content) := object.union(event, {"memory": [object.union(event.memory[0], {"atEntry": content})]})

message(differing) := {
	"eventName": "msgsnd",
	"arg": {"msqid": 7, "msgp": "0x1000", "msgsz": 4, "msgflg": 0},
	"flags": [], "returnValue": 0, "durationNs": 1000, "sleeps": 0,
	"memory": [{
		"arg": "msgp", "type": "msgbuf", "address": "0x1000", "length": 12, "written": false,
		"atEntry": {"state": "read", "bytes": "01", "lengthRead": 12, "mtype": 1},
		"inKernel": {"state": "read", "bytes": "63", "lengthRead": 12, "mtype": 99},
		"changed": true, "differing": differing,
	}],
}

test_kernel_has_another_type if {
	event := message(["atEntry-inKernel", "inKernel-atExit"])
	signature.match with input as event
	signature.evidence == {
		"reasons": {"the kernel's copy differs"},
		"memory": {{
			"arg": "msgp", "type": "msgbuf", "address": "0x1000",
			"differing": ["atEntry-inKernel", "inKernel-atExit"],
			"atEntry": {"mtype": 1}, "inKernel": {"mtype": 99},
		}},
		"outcome": "ok", "durationNs": 1000, "sleeps": 0,
	} with input as event
}

test_kernel_has_other_though_the_call_failed if {
	event := message(["atEntry-inKernel"])
	signature.match with input as object.union(event, {"returnValue": -11, "error": "EAGAIN"})
	signature.match with input as object.union(event, {"unfinished": true})
}

test_changed_only_later if {
	not signature.match with input as message(["atEntry-atExit", "inKernel-atExit"])
}

test_received_message if {
	event := message(["atEntry-inKernel"])
	written := object.union(event, {"memory": [object.union(event.memory[0], {"written": true})]})
	not signature.match with input as written
}

test_no_memory if not signature.match with input as object.remove(message([]), ["memory"])

test_good_numbers_refused if {
	event := failed([waiting(0), hasty(3)], "EFBIG")
	signature.match with input as event
	signature.evidence == {
		"reasons": {"refused numbers that are in the set"},
		"operations": [waiting(0), hasty(3)], "semaphores": 4,
		"outcome": "EFBIG", "durationNs": 1000, "sleeps": 0,
	} with input as event
}

test_bad_number_refused if {
	not signature.match with input as failed([waiting(4)], "EFBIG")
	not signature.match with input as failed([waiting(0), waiting(99)], "EFBIG")
}

test_bad_number_accepted if {
	event := operated([waiting(0), waiting(4)])
	signature.match with input as event
	signature.reasons == {"accepted a number that is not in the set"} with input as event
}

test_bad_number_accepted_but_not_done if {
	every name in ["EAGAIN", "EINTR", "ERANGE"] {
		"accepted a number that is not in the set" in signature.reasons with input as failed([waiting(99)], name)
	}
}

test_refused_before_the_numbers_count if {
	every name in ["EINVAL", "EIDRM", "EFAULT", "E2BIG", "ENOMEM", "EACCES"] {
		not signature.match with input as failed([waiting(99)], name)
		not signature.match with input as failed([waiting(0)], name)
	}
}

test_good_number_accepted if not signature.match with input as operated([waiting(3), hasty(0)])

test_gave_up_though_it_should_wait if {
	signature.match with input as failed([waiting(0)], "EAGAIN")
	signature.match with input as timed(failed([waiting(0), waiting(1)], "EAGAIN"), "0x0")
	signature.reasons == {"did not wait where it had to"} with input as failed([waiting(0)], "EAGAIN")
}

test_gave_up_as_it_may if {
	not signature.match with input as failed([hasty(0)], "EAGAIN")
	not signature.match with input as failed([waiting(1), hasty(0)], "EAGAIN")
}

test_timeout if not signature.match with input as timed(failed([waiting(0)], "EAGAIN"), "0x7ffd00")

test_waited_though_it_must_not if {
	signature.match with input as slept([hasty(0), hasty(1)])
	signature.reasons == {"waited where it must not"} with input as slept([hasty(0)])
	signature.match with input as object.union(slept([hasty(0)]), {"returnValue": -4, "error": "EINTR"})
	signature.match with input as object.union(slept([hasty(0)]), {"returnValue": -11, "error": "EAGAIN"})
}

test_waited_to_add if {
	adding := {"sem_num": 0, "sem_op": 1, "sem_flg": 0, "flags": []}
	signature.reasons == {"waited where it must not"} with input as slept([adding, hasty(0)])
	not signature.match with input as slept([object.union(adding, {"sem_op": 0})])
}

test_waited_as_it_may if {
	not signature.match with input as slept([waiting(0)])
	not signature.match with input as slept([hasty(0), waiting(1)])
}

test_waited_a_little if {
	not signature.match with input as object.union(slept([hasty(0)]), {"durationNs": 999999})
}

test_took_long_without_sleeping if {
	not signature.match with input as object.union(slept([hasty(0)]), {"sleeps": 0})
}

test_killed_in_the_call if {
	not signature.match with input as object.union(slept([hasty(0)]), {"unfinished": true})
	not signature.match with input as object.union(operated([waiting(99)]), {"unfinished": true})
}

test_slept_to_read_the_timeout if {
	event := timed(slept([hasty(0)]), "0x5000")
	timeout := {
		"arg": "timeout", "type": "timespec", "address": "0x5000", "length": 16, "written": false,
		"atEntry": {"state": "unreadable", "bytes": "", "lengthRead": 0},
	}
	not signature.match with input as object.union(event, {"memory": array.concat(event.memory, [timeout])})
}

test_object_not_seen if {
	every event in [failed([waiting(0)], "EFBIG"), operated([waiting(99)]), failed([waiting(0)], "EAGAIN"), slept([hasty(0)])] {
		not signature.match with input as object.remove(event, ["object"])
	}
}

test_not_all_operations_seen if {
	every event in [failed([waiting(0)], "EFBIG"), operated([waiting(99)]), failed([waiting(0)], "EAGAIN"), slept([hasty(0)])] {
		not signature.match with input as object.union(event, {"arg": {"nsops": 2}})
		not signature.match with input as looked(event, {"state": "cut"})
		not signature.match with input as object.union(event, {"memory": [object.remove(event.memory[0], ["atEntry"])]})
		not signature.match with input as object.remove(event, ["memory"])
	}
}

# No contradiction can be: the kernel's copy says that they are the same.
test_kernel_has_the_same if {
	not signature.match with input as copied(slept([hasty(0)]), [hasty(0)])
}

# Only a part of the kernel's copy was kept.
test_kernel_copy_is_cut if {
	event := slept([hasty(0), hasty(1)])
	cut := {"inKernel": {"state": "cut", "bytes": "00", "lengthRead": 6, "sops": [hasty(0)]}}
	signature.match with input as object.union(event, {"memory": [object.union(event.memory[0], cut)]})
}
