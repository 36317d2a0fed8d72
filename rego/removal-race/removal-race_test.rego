package ipcwarden.removal_race_test

import data.ipcwarden.removal_race as signature

ended(error) := {"eventName": "shmat", "flags": [], "returnValue": -43, "error": error, "arg": {"shmid": 5}}

test_removed_meanwhile if signature.match with input as ended("EIDRM")

test_evidence if signature.evidence == {"call": "shmat"} with input as ended("EIDRM")

test_removed_before if not signature.match with input as ended("EINVAL")

test_attached if not signature.match with input as {"eventName": "shmat", "flags": [], "returnValue": 4096}
