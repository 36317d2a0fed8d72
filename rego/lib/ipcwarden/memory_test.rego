package ipcwarden.memory_test

import data.ipcwarden.memory

test_served if {
	memory.served({"userfaultfd": true})
	memory.served({"fileSystem": "fuse", "shared": true, "resident": true})
	memory.served({"fileSystem": "fuse", "shared": false, "resident": false})
}

test_not_served if {
	not memory.served({"userfaultfd": false, "shared": true, "resident": false})
	not memory.served({"fileSystem": "tmpfs", "shared": true, "resident": false})
	not memory.served({"fileSystem": "fuse", "shared": false, "resident": true})
	not memory.served({"state": "unmapped"})
}

region := {"arg": "msgp", "type": "msgbuf", "address": "0x10", "differing": ["atEntry-atExit"], "length": 7}

test_looks if {
	memory.looks(object.union(region, {
		"atEntry": {"state": "read", "mtype": 1, "text": "secret"},
		"atExit": {"state": "read", "mtype": 2, "text": "secret"},
	})) == {
		"arg": "msgp", "type": "msgbuf", "address": "0x10", "differing": ["atEntry-atExit"],
		"atEntry": {"mtype": 1}, "atExit": {"mtype": 2},
	}
}

test_looks_leave_out_long_lists if {
	short := numbers.range(1, 16)
	seen := memory.looks(object.union(region, {"type": "semun", "atEntry": {"values": short}, "atExit": {"values": numbers.range(1, 17)}}))
	seen.atEntry == {"values": short}
	seen.atExit == {}
}
