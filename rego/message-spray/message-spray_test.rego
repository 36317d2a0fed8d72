package ipcwarden.message_spray_test

import data.ipcwarden.message_spray as signature

sent(object) := {
	"eventName": "msgsnd", "flags": [], "returnValue": 0, "arg": {"msqid": 7, "msgsz": 4048},
	"object": object,
}

second := {"kind": "msg", "id": 7, "key": 0, "qnum": 1, "lrpid": 0}

test_second_message if signature.match with input as sent(second)

test_evidence if signature.evidence == {"bytes": 4048} with input as sent(second)

test_first_message if signature.match with input as sent(object.union(second, {"qnum": 0}))

test_third_message if not signature.match with input as sent(object.union(second, {"qnum": 2}))

test_somebody_receives if not signature.match with input as sent(object.union(second, {"lrpid": 100}))

test_known_by_key if signature.match with input as sent(object.union(second, {"key": 77}))

test_first_message_to_a_key if not signature.match with input as sent(object.union(second, {"key": 77, "qnum": 0}))

test_queue_full if {
	not signature.match with input as object.union(sent(second), {"returnValue": -11, "error": "EAGAIN"})
}

test_object_not_seen if not signature.match with input as object.remove(sent(second), ["object"])
