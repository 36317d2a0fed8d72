package ipcwarden.key_probing_test

import data.ipcwarden.key_probing as signature

asked(error) := {"eventName": "shmget", "flags": [], "returnValue": -2, "error": error, "arg": {"key": 77, "size": 0}}

test_no_such_key if signature.match with input as asked("ENOENT")

test_not_let_in if signature.match with input as asked("EACCES")

test_evidence if signature.evidence == {"call": "shmget"} with input as asked("ENOENT")

test_to_be_created if not signature.match with input as object.union(asked("EACCES"), {"flags": ["IPC_CREAT"]})

test_other_error if not signature.match with input as asked("EINVAL")

test_opened if not signature.match with input as {"eventName": "shmget", "flags": [], "returnValue": 5, "arg": {"key": 77}}
