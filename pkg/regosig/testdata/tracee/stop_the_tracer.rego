package tracee.TRC_IPC_1

import data.tracee.helpers

__rego_metadoc__ := {
	"id": "TRC-IPC-1",
	"version": "0.1.0",
	"name": "Process attaches to itself as its own tracer",
	"eventName": "self_tracing",
	"description": "A program that has asked to be traced cannot be traced by anybody else.",
	"tags": ["linux", "container"],
	"properties": {
		"Severity": 3,
		"MITRE ATT&CK": "Defense Evasion: Debugger Evasion",
		"external_id": "T1622",
	},
}

tracee_selected_events[selector] {
	selector := {"source": "tracee", "name": "ptrace"}
}

tracee_match {
	input.eventName == "ptrace"
	helpers.get_tracee_argument("request") == "PTRACE_TRACEME"
	input.unknownToThisProgram != "x"
}
