package ipcwarden.msg_copy_peek_test

import data.ipcwarden.msg_copy_peek as signature

received := {
	"eventName": "msgrcv",
	"via": "syscall",
	"flags": ["IPC_NOWAIT", "MSG_COPY"],
	"arg": {"msqid": 7, "msgp": "0x7ffd10", "msgsz": 4096, "msgtyp": 2, "msgflg": 18432},
	"returnValue": 4096,
}

failed(code, name) := object.union(received, {"returnValue": code, "error": name})

test_peek if signature.match with input as received

test_peek_beyond_the_text if {
	signature.match with input as object.union(received, {"flags": ["IPC_NOWAIT", "MSG_NOERROR", "MSG_COPY"]})
}

test_peek_through_ipc if {
	signature.match with input as object.union(received, {"via": "ipc", "contextFlags": {"isCompat": true}})
}

test_peek_behind_the_last_message if signature.match with input as failed(-42, "ENOMSG")

test_peek_into_unreadable_memory if signature.match with input as failed(-14, "EFAULT")

test_evidence if {
	signature.evidence == {
		"queue": 7, "ordinal": 2, "bytesAsked": 4096, "returned": 4096, "outcome": "ok",
	} with input as received
	signature.evidence.outcome == "ENOMSG" with input as failed(-42, "ENOMSG")
}

test_plain_receive if not signature.match with input as object.union(received, {"flags": []})

test_receive_without_waiting if not signature.match with input as object.union(received, {"flags": ["IPC_NOWAIT"]})

test_copy_that_may_wait if not signature.match with input as object.union(failed(-22, "EINVAL"), {"flags": ["MSG_COPY"]})

test_copy_with_except if {
	not signature.match with input as object.union(
		failed(-22, "EINVAL"),
		{"flags": ["IPC_NOWAIT", "MSG_EXCEPT", "MSG_COPY"]},
	)
}

test_refused_before_looking if {
	every failure in [[-38, "ENOSYS"], [-22, "EINVAL"], [-13, "EACCES"], [-43, "EIDRM"]] {
		not signature.match with input as failed(failure[0], failure[1])
	}
}
