package ipcwarden.flags_test

import data.ipcwarden.flags

peek := {"flags": ["IPC_NOWAIT", "MSG_COPY"]}

none := {"flags": []}

test_all if {
	flags.has_all({"IPC_NOWAIT", "MSG_COPY"}) with input as peek
	flags.has_all(["MSG_COPY"]) with input as peek
	not flags.has_all({"MSG_COPY", "MSG_EXCEPT"}) with input as peek
	not flags.has_all({"MSG_COPY"}) with input as none
}

test_any if {
	flags.has_any({"MSG_EXCEPT", "MSG_COPY"}) with input as peek
	not flags.has_any({"MSG_EXCEPT"}) with input as peek
	not flags.has_any({"MSG_COPY"}) with input as none
}

test_none if {
	flags.has_none({"MSG_EXCEPT", "MSG_NOERROR"}) with input as peek
	flags.has_none({"MSG_COPY"}) with input as none
	not flags.has_none({"MSG_EXCEPT", "MSG_COPY"}) with input as peek
}

test_no_names if {
	flags.has_all(set()) with input as none
	not flags.has_any(set()) with input as peek
	flags.has_none(set()) with input as peek
}
