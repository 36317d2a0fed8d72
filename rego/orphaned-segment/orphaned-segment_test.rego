package ipcwarden.orphaned_segment_test

import data.ipcwarden.orphaned_segment as signature

# 896 is 01600.
attached := {
	"eventName": "shmat", "flags": [], "returnValue": 139637976727552, "executable": {"path": "/usr/bin/a"},
	"object": {"kind": "shm", "id": 5, "key": 0, "mode": 896, "cpid": 100, "creatorUid": 1000, "nattch": 1, "creatorGone": true},
}

test_creator_gone if signature.match with input as attached

test_evidence if {
	signature.evidence == {"creatorProcessId": 100, "creatorUid": 1000, "attached": 1} with input as attached
}

test_creator_there if {
	not signature.match with input as object.union(attached, {"object": {"creatorGone": false}})
}

test_not_to_be_removed if not signature.match with input as object.union(attached, {"object": {"mode": 384}})

test_refused if {
	not signature.match with input as object.union(attached, {"returnValue": -13, "error": "EACCES"})
}

test_display_server if {
	not signature.match with input as object.union(attached, {"executable": {"path": "/usr/bin/Xvfb"}})
}

test_object_not_seen if not signature.match with input as object.remove(attached, ["object"])
