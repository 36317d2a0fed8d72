# METADATA
# description: |
#   Several flags of the call at once. For one, write `"MSG_COPY" in input.flags`. A name
#   that no flag has is an error when the signature is loaded.
package ipcwarden.flags

# METADATA
# description: The call has all of these flags, a set or an array of names.
has_all(names) if {
	every name in names {
		name in input.flags
	}
}

# METADATA
# description: The call has one of these flags at least.
has_any(names) if {
	some name in names
	name in input.flags
}

# METADATA
# description: The call has none of these flags.
has_none(names) if not has_any(names)
