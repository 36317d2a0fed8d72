# METADATA
# description: How the call of the event ended.
package ipcwarden.call

# METADATA
# description: The call did what it was asked to do.
succeeded if {
	not input.error
	not input.unfinished
}

# METADATA
# description: |
#   What the caller got: `ok`, the symbolic error, or `unfinished` for a thread that was
#   killed in the call.
# scope: document
outcome := input.error if input.error

else := "unfinished" if input.unfinished

else := "ok"
