package ipcwarden.mode_test

import data.ipcwarden.mode

# The bits of each test, and what is left of all others.
test_world_readable if {
	mode.world_readable(4)
	not mode.world_readable(507)
}

test_world_writable if {
	mode.world_writable(2)
	not mode.world_writable(509)
}

test_group_readable if {
	mode.group_readable(32)
	not mode.group_readable(479)
}

test_group_writable if {
	mode.group_writable(16)
	not mode.group_writable(495)
}

test_executable if {
	every mask in [1, 8, 64] {
		mode.executable(mask)
	}
	not mode.executable(438)
}

test_private if {
	mode.private(448)
	every mask in [1, 2, 4, 8, 16, 32] {
		not mode.private(mask)
	}
}

# SHM_DEST and SHM_LOCKED are no permissions.
test_of_destroyed_segment if {
	mode.private(1536)
	not mode.world_writable(1536)
}
