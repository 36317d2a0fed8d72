package tracee.BENCH_07

import data.tracee.helpers

__rego_metadoc__ := {
	"id": "BENCH-07",
	"version": "0.1.0",
	"name": "Segment of root attached by a user to be read",
	"properties": {"Severity": 2},
}

tracee_selected_events[selector] {
	selector := {"source": "tracee", "name": "shmat"}
}

tracee_match = found {
	helpers.get_tracee_argument("shmflg") == 4096
	input.userId >= 1000
	input.returnValue > 0
	found := {"segment": helpers.get_tracee_argument("shmid"), "who": input.processName}
}
