package tracee.TRC_IPC_2

import data.tracee.helpers

__rego_metadoc__ := {
	"id": "TRC-IPC-2",
	"version": "1.2.0",
	"name": "Read-only attachment or message without waiting",
	"description": "Two events in one signature, each with data of its own.",
	"properties": {"Severity": 1, "Category": "discovery"},
}

selected := ["shmat", "msgsnd"]

tracee_selected_events[selector] {
	name := selected[_]
	selector := {"source": "tracee", "name": name, "origin": "*"}
}

tracee_match = res {
	input.eventName == "shmat"
	helpers.get_tracee_argument("shmflg") == 4096
	res := {"segment": helpers.get_tracee_argument("shmid"), "who": input.processName}
}

tracee_match = res {
	input.eventName == "msgsnd"
	helpers.get_tracee_argument("msgflg") == 2048
	res := {}
}
