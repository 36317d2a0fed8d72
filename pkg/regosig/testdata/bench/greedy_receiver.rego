package tracee.BENCH_08

__rego_metadoc__ := {
	"id": "BENCH-08",
	"version": "0.1.0",
	"name": "Receives any message of up to a high type",
	"properties": {"Severity": 1},
}

tracee_selected_events[selector] {
	selector := {"source": "tracee", "name": "msgrcv"}
}

tracee_match {
	input.args[i].name == "msgtyp"
	input.args[i].value < -1000
	input.args[j].name == "msgsz"
	input.args[j].value >= 65536
}
