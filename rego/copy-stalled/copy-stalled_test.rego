package ipcwarden.copy_stalled_test

import data.ipcwarden.copy_stalled as signature

ms := 1000000

plain := {"byte": "first", "state": "read", "shared": false, "userfaultfd": false}

faulting := {"byte": "last", "state": "read", "shared": false, "userfaultfd": true}

fuse := {"byte": "last", "state": "read", "shared": true, "userfaultfd": false, "fileSystem": "fuse"}

# A msgsnd of 16 bytes that took so many ms, to a queue that has room for them
# and no more.
sent(flags, duration, mappings) := {
	"eventName": "msgsnd",
	"flags": flags,
	"arg": {"msqid": 7, "msgp": "0x1000", "msgsz": 16, "msgflg": 0},
	"returnValue": 0,
	"durationNs": duration * ms,
	"sleeps": 1,
	"object": {"kind": "msg", "id": 7, "cbytes": 84, "qbytes": 100, "qnum": 1},
	"memory": [{
		"arg": "msgp", "type": "msgbuf", "address": "0x1000", "length": 24, "written": false, "mappings": mappings,
	}],
}

operated(duration, operations) := {
	"eventName": "semop",
	"flags": ["IPC_NOWAIT"],
	"arg": {"semid": 3, "sops": "0x1000", "nsops": 2},
	"returnValue": 0,
	"durationNs": duration * ms,
	"sleeps": 1,
	"object": {"kind": "sem", "id": 3, "nsems": 4},
	"memory": [{
		"arg": "sops", "type": "sembuf[]", "address": "0x1000", "length": 12, "written": false,
		"atEntry": look(operations),
	}],
}

look(operations) := {"state": "read", "bytes": "00", "lengthRead": 12, "sops": operations}

waiting := {"sem_num": 0, "sem_op": -1, "sem_flg": 0, "flags": []}

hasty := {"sem_num": 0, "sem_op": -1, "sem_flg": 6144, "flags": ["IPC_NOWAIT", "SEM_UNDO"]}

copied(event, operations) := object.union(event, {"memory": [object.union(event.memory[0], {"inKernel": look(operations)})]})

controlled(name, command, region) := {
	"eventName": name, "command": command, "flags": [], "returnValue": 0, "durationNs": 300 * ms, "sleeps": 1,
	"memory": [region],
}

settings(written, mapping) := {
	"arg": "buf", "type": "ipc_ds", "address": "0x1000", "length": 120, "written": written, "mappings": [mapping],
}

stalled(ns, sleeps) := {"stalledNs": ns, "stalledSleeps": sleeps}

test_late_copy if {
	event := object.union(sent([], 300, [plain]), stalled(101 * ms, 1))
	signature.match with input as event
	signature.reasons == {"the kernel had its copy late"} with input as event
	signature.match with input as object.union(event, {"unfinished": true})
	signature.match with input as object.union(event, {"returnValue": -43, "error": "EIDRM"})
}

test_late_copy_of_operations if {
	event := object.union(operated(300, [waiting, waiting]), stalled(300 * ms, 1))
	signature.reasons == {"the kernel had its copy late"} with input as event
}

test_copy_in_time if {
	not signature.match with input as object.union(sent([], 3000, [plain]), stalled(100 * ms, 1))
	not signature.match with input as object.union(sent([], 3000, [plain]), stalled(0, 0))
}

test_waited_though_told_not_to if {
	event := sent(["IPC_NOWAIT"], 50, [plain])
	signature.match with input as event
	signature.reasons == {"waited where it must not"} with input as event
	signature.match with input as object.union(event, {"returnValue": -11, "error": "EAGAIN"})
	received := object.union(event, {"eventName": "msgrcv", "flags": ["IPC_NOWAIT", "MSG_NOERROR"]})
	signature.match with input as received
}

# A busy host let the thread wait for a CPU; its own later sleep is for room.
test_not_given_a_cpu if {
	not signature.match with input as object.union(sent([], 3000, [plain]), stalled(300 * ms, 0))
}

test_short_wait if not signature.match with input as sent(["IPC_NOWAIT"], 49, [plain])

test_preempted if {
	not signature.match with input as object.union(sent(["IPC_NOWAIT"], 50, [plain]), {"sleeps": 0})
}

test_waited_for_room if not signature.match with input as sent([], 5000, [plain])

test_waited_for_a_message if {
	not signature.match with input as object.union(sent([], 5000, [plain]), {"eventName": "msgrcv"})
}

test_operations_that_must_not_wait if {
	signature.match with input as operated(50, [hasty, hasty])
	signature.match with input as object.union(operated(50, [hasty, hasty]), {"eventName": "semtimedop"})
	signature.reasons == {"waited where it must not"} with input as operated(50, [hasty, hasty])
}

test_operations_that_add if {
	signature.match with input as operated(50, [hasty, {"sem_num": 0, "sem_op": 1, "sem_flg": 0, "flags": []}])
}

# IPC_NOWAIT is among the flags then, but not of each.
test_operation_that_may_wait if not signature.match with input as operated(5000, [hasty, waiting])

test_kernel_has_operations_that_may_wait if {
	not signature.match with input as copied(operated(50, [hasty, hasty]), [hasty, waiting])
	signature.match with input as copied(operated(50, [hasty, waiting]), [hasty, hasty])
}

test_not_all_operations_seen if {
	event := operated(50, [hasty, hasty])
	not signature.match with input as object.union(event, {"arg": {"nsops": 3}})
	not signature.match with input as object.remove(event, ["memory"])
}

test_served_and_room_in_the_queue if {
	every mapping in [faulting, fuse] {
		event := sent([], 101, [plain, mapping])
		signature.match with input as event
		signature.reasons == {"long, with nothing to wait for but memory"} with input as event
	}
}

test_served_and_refused_before_the_queue if {
	every name in ["EFAULT", "EINVAL"] {
		event := object.union(sent([], 101, [plain, fuse]), {"returnValue": -1, "error": name})
		signature.match with input as object.remove(event, ["object"])
	}
}

test_served_and_queue_full if {
	event := sent([], 5000, [plain, faulting])
	not signature.match with input as object.union(event, {"object": {"cbytes": 85}})
	not signature.match with input as object.union(event, {"object": {"qnum": 100}})
	not signature.match with input as object.remove(event, ["object"])
}

test_served_and_quick if not signature.match with input as sent([], 100, [plain, faulting])

test_served_and_copied_in_time if {
	not signature.match with input as object.union(sent([], 5000, [plain, faulting]), stalled(0, 0))
}

test_served_and_slow_operations if {
	event := operated(5000, [waiting, waiting])
	region := object.union(event.memory[0], {"mappings": [faulting]})
	not signature.match with input as object.union(event, {"memory": [region]})
}

test_served_settings if {
	every name in ["msgctl", "semctl", "shmctl"] {
		signature.match with input as controlled(name, "IPC_SET", settings(false, faulting))
		not signature.match with input as controlled(name, "IPC_SET", settings(false, plain))
		not signature.match with input as controlled(name, "IPC_STAT", settings(true, faulting))
	}
}

test_evidence if {
	signature.evidence == {
		"reasons": {"waited where it must not", "long, with nothing to wait for but memory"},
		"durationNs": 300 * ms, "sleeps": 1, "flags": ["IPC_NOWAIT"], "outcome": "ok",
		"served": {{"arg": "msgp", "address": "0x1000"}},
	} with input as sent(["IPC_NOWAIT"], 300, [faulting, faulting])
	signature.evidence == {
		"reasons": {"the kernel had its copy late"}, "stalledNs": 250 * ms,
		"durationNs": 300 * ms, "sleeps": 1, "flags": [], "outcome": "ok",
	} with input as object.union(sent([], 300, [plain]), stalled(250 * ms, 1))
}

test_unread_mappings if {
	not signature.match with input as sent([], 5000, [{"byte": "first", "state": "unread"}])
}

test_no_mappings if {
	event := sent([], 5000, [])
	not signature.match with input as object.union(event, {"memory": [object.remove(event.memory[0], ["mappings"])]})
	not signature.match with input as object.remove(event, ["memory"])
}
