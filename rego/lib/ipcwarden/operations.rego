# METADATA
# description: The operations of semop and semtimedop, if all of them are known.
package ipcwarden.operations

# METADATA
# description: As they were in user memory when the call began.
at_entry := whole(region.atEntry)

# METADATA
# description: As the kernel has them.
in_kernel := whole(region.inKernel)

region := found if {
	some found in input.memory
	found.type == "sembuf[]"
}

whole(content) := content.sops if {
	content.state == "read"
	count(content.sops) == input.arg.nsops
}

# METADATA
# description: |
#   With these operations the call does not wait for another process, whichever of them is
#   in the way.
none_waits(operations) if {
	every operation in operations {
		never_waits(operation)
	}
}

never_waits(operation) if "IPC_NOWAIT" in operation.flags

# To add is always possible, or out of range.
never_waits(operation) if operation.sem_op > 0
