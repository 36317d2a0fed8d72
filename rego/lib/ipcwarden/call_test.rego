package ipcwarden.call_test

import data.ipcwarden.call

test_succeeded if call.succeeded with input as {"returnValue": 0}

test_failed if not call.succeeded with input as {"error": "EPERM"}

test_unfinished if not call.succeeded with input as {"unfinished": true}

test_outcomes if {
	call.outcome == "ok" with input as {"returnValue": 7}
	call.outcome == "EAGAIN" with input as {"error": "EAGAIN"}
	call.outcome == "unfinished" with input as {"unfinished": true}
}
