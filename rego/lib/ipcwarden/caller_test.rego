package ipcwarden.caller_test

import data.ipcwarden.caller

test_name if {
	caller.name == "sshd" with input as {"executable": {"path": "/usr/sbin/sshd"}}
	caller.name == "sshd" with input as {"executable": {"path": "/usr/sbin/sshd (deleted)"}}
	caller.name == "init" with input as {"executable": {"path": "init"}}
}

test_name_not_known if {
	not caller.name with input as {"executable": {"path": ""}}
	not caller.name with input as {}
}

used(owner, creator, user) := {"effectiveUserId": user, "object": {"ownerUid": owner, "creatorUid": creator}}

test_foreign if {
	caller.foreign with input as used(1000, 1000, 0)
	not caller.foreign with input as used(1000, 0, 0)
	not caller.foreign with input as used(0, 1000, 0)
	not caller.foreign with input as {"effectiveUserId": 0}
}

test_system_account if {
	caller.system_account with input as {"effectiveUserId": 999}
	not caller.system_account with input as {"effectiveUserId": 1000}
}

attached := {"eventName": "shmat", "object": {"key": 0}, "executable": {"path": "/usr/bin/Xvfb"}}

test_display_server if caller.display_server with input as attached

test_display_server_opens if not caller.display_server with input as object.union(attached, {"eventName": "shmget"})

test_display_server_and_a_key if not caller.display_server with input as object.union(attached, {"object": {"key": 7}})

test_called_like_a_display_server if {
	not caller.display_server with input as object.union(attached, {"executable": {"path": "/tmp/Xvfb"}})
}
