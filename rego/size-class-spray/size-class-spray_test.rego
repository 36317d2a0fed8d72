package ipcwarden.size_class_spray_test

import data.ipcwarden.size_class_spray as signature

sent(bytes) := {
	"eventName": "msgsnd", "flags": [], "returnValue": 0, "arg": {"msqid": 7, "msgsz": bytes},
	"object": {"kind": "msg", "id": 7, "key": 77, "qnum": 0, "lrpid": 0},
}

# 4056 is a page and a part of 16, 8136 two full pages, 5064 a page and one of 1024.
test_slab_sizes if {
	every bytes in [16, 80, 464, 976, 4048, 4056, 5064, 8136] {
		signature.match with input as sent(bytes)
	}
}

test_evidence if signature.evidence == {"bytes": 976} with input as sent(976)

# What fakeroot sends, a page, and sizes just beside.
test_other_sizes if {
	every bytes in [0, 8, 968, 975, 977, 984, 1024, 1088, 4040, 4064, 4096, 8192] {
		not signature.match with input as sent(bytes)
	}
}

test_somebody_receives if {
	not signature.match with input as object.union(sent(976), {"object": {"lrpid": 100}})
}

test_queue_full if {
	not signature.match with input as object.union(sent(976), {"returnValue": -11, "error": "EAGAIN"})
}

test_object_not_seen if not signature.match with input as object.remove(sent(976), ["object"])
