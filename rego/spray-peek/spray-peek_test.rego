package ipcwarden.spray_peek_test

import data.ipcwarden.spray_peek as signature

peeked(object) := {
	"eventName": "msgrcv", "flags": ["IPC_NOWAIT", "MSG_COPY"], "returnValue": 4048, "hostProcessId": 100,
	"object": object,
}

own := {"kind": "msg", "id": 7, "key": 0, "qnum": 2, "lrpid": 0, "lspid": 100}

test_own_messages if signature.match with input as peeked(own)

test_behind_the_last if {
	signature.match with input as object.union(peeked(own), {"returnValue": -42, "error": "ENOMSG"})
}

test_received if not signature.match with input as object.union(peeked(own), {"flags": ["IPC_NOWAIT"]})

test_messages_of_others if not signature.match with input as peeked(object.union(own, {"lspid": 99}))

test_queue_in_use if not signature.match with input as peeked(object.union(own, {"lrpid": 100}))

test_one_message if not signature.match with input as peeked(object.union(own, {"qnum": 1}))

test_known_by_key if not signature.match with input as peeked(object.union(own, {"key": 77}))

test_object_not_seen if not signature.match with input as object.remove(peeked(own), ["object"])
