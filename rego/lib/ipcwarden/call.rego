# METADATA
# description: |
#   How the call of the event ended.
package ipcwarden.call

# The call did what it was asked to do.
succeeded if {
	not input.error
	not input.unfinished
}

# What the caller got: ok, the symbolic error, or unfinished for a thread that
# was killed in the call.
outcome := input.error

outcome := "ok" if succeeded

outcome := "unfinished" if input.unfinished
