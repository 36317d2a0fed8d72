package ipcwarden.covert_channel_test

import data.ipcwarden.covert_channel as signature

used(name, fields) := object.union(
	{
		"eventName": name, "flags": [], "returnValue": 0, "effectiveUserId": 1001,
		"object": {"id": 3, "ownerUid": 1000, "creatorUid": 1000},
	},
	fields,
)

asked(command) := used("semctl", {"arg": {"semid": 3, "semnum": 0, "cmd": command}})

test_semaphore_changed if {
	signature.match with input as used("semop", {})
	signature.match with input as used("semtimedop", {})
}

test_semaphore_read if {
	every command in [11, 12, 13, 14, 15] {
		signature.match with input as asked(command)
	}
}

test_tiny_messages if {
	signature.match with input as used("msgsnd", {"arg": {"msgsz": 8}})
	signature.match with input as used("msgrcv", {"returnValue": 8, "arg": {"msgsz": 8192}})
}

test_real_messages if {
	not signature.match with input as used("msgsnd", {"arg": {"msgsz": 9}})
	not signature.match with input as used("msgrcv", {"returnValue": 9, "arg": {"msgsz": 8192}})
}

test_other_command if {
	not signature.match with input as asked(2)
	not signature.match with input as asked(16)
}

# The number means something else to queues.
test_other_kind if not signature.match with input as object.union(asked(12), {"eventName": "msgctl"})

test_own_object if {
	not signature.match with input as used("semop", {"object": {"ownerUid": 1001}})
	not signature.match with input as used("semop", {"object": {"creatorUid": 1001}})
}

test_refused if not signature.match with input as used("semop", {"returnValue": -11, "error": "EAGAIN"})

test_object_not_seen if not signature.match with input as object.remove(used("semop", {}), ["object"])
