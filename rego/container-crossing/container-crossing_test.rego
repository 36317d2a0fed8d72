package ipcwarden.container_crossing_test

import data.ipcwarden.container_crossing as signature

attached(container) := {
	"eventName": "shmat", "flags": [], "returnValue": 139637976727552, "containerId": container,
	"executable": {"path": "/usr/bin/python3.11"},
	"object": {"kind": "shm", "id": 5, "key": 0, "namespace": 4026531839, "cpid": 100},
}

test_host if {
	signature.from_host with input as attached("")
	not signature.from_container with input as attached("")
}

test_container if {
	signature.from_container with input as attached("c0ffee")
	not signature.from_host with input as attached("c0ffee")
}

test_evidence if {
	signature.evidence == {"container": "c0ffee", "creatorProcessId": 100} with input as attached("c0ffee")
	signature.evidence == {"creatorProcessId": 100} with input as attached("")
}

test_ended_too_soon if {
	not signature.from_host with input as object.union(attached(""), {"executable": {"path": ""}})
}

test_display_server if {
	not signature.from_host with input as object.union(attached(""), {"executable": {"path": "/usr/lib/xorg/Xorg"}})
}

test_refused if {
	refused := {"returnValue": -13, "error": "EACCES"}
	not signature.from_host with input as object.union(attached(""), refused)
	not signature.from_container with input as object.union(attached("c0ffee"), refused)
}
