package ipcwarden.spray_drain_test

import data.ipcwarden.spray_drain as signature

received := {
	"eventName": "msgrcv", "flags": ["IPC_NOWAIT"], "returnValue": 976, "hostProcessId": 100,
	"object": {"kind": "msg", "id": 7, "key": 0, "qnum": 2, "lspid": 100, "lrpid": 0},
}

test_own_messages if signature.match with input as received

test_evidence if signature.evidence == {"bytes": 976} with input as received

test_one_message if not signature.match with input as object.union(received, {"object": {"qnum": 1}})

test_received_before if not signature.match with input as object.union(received, {"object": {"lrpid": 100}})

test_sent_by_another if not signature.match with input as object.union(received, {"object": {"lspid": 101}})

test_known_by_key if not signature.match with input as object.union(received, {"object": {"key": 77}})

test_copied if not signature.match with input as object.union(received, {"flags": ["IPC_NOWAIT", "MSG_COPY"]})

test_nothing_there if {
	not signature.match with input as object.union(received, {"returnValue": -42, "error": "ENOMSG"})
}

test_object_not_seen if not signature.match with input as object.remove(received, ["object"])
