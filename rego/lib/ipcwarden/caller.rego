# METADATA
# description: Who made the call.
package ipcwarden.caller

# METADATA
# description: The file name of what the caller runs, without its directories.
name := names[count(names) - 1] if {
	names := split(trim_suffix(input.executable.path, " (deleted)"), "/")
	names != [""]
}

# METADATA
# description: |
#   The object neither belongs to the caller's effective user nor was created by it.
foreign if {
	input.object.ownerUid != input.effectiveUserId
	input.object.creatorUid != input.effectiveUserId
}

# METADATA
# description: |
#   The caller runs as root or as a system account, which have numbers below 1000. Those of
#   containers with users of their own are above.
system_account if input.effectiveUserId < 1000

# METADATA
# description: |
#   The caller is a display server that attaches a client's segment, as the client asks it
#   to (MIT-SHM). These have no key.
display_server if {
	input.eventName == "shmat"
	input.object.key == 0
	input.executable.path in {
		"/usr/lib/xorg/Xorg", "/usr/libexec/Xorg", "/usr/lib/Xorg", "/usr/bin/Xorg", "/usr/bin/Xvfb",
		"/usr/bin/Xwayland", "/usr/bin/Xephyr", "/usr/bin/Xnest", "/usr/bin/Xvnc", "/usr/bin/Xtigervnc",
	}
}
