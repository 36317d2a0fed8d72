# METADATA
# description: The user memory that a call leads to, the elements of `input.memory`.
package ipcwarden.memory

# METADATA
# description: |
#   Some process answers the page faults of a mapping (an element of `mappings`), and can
#   take its time: through userfaultfd, or as the server of a FUSE file system.
# scope: document
served(mapping) if mapping.userfaultfd

served(mapping) if {
	mapping.fileSystem == "fuse"
	mapping.shared
}

# What a program has written to its private copy of a file is there to stay.
served(mapping) if {
	mapping.fileSystem == "fuse"
	not mapping.resident
}

# METADATA
# description: |
#   What evidence says of a region whose looks differ. The text of a message is left out:
#   the event has it.
looks(region) := object.union(
	{"arg": region.arg, "type": region.type, "address": region.address, "differing": region.differing},
	{look: decoded(region[look], members[region.type]) | some look in ["atEntry", "inKernel", "atExit"]},
)

# What memory of a type is decoded to.
members := {
	"msgbuf": ["mtype"],
	"sembuf[]": ["sops"],
	"timespec": ["tvSec", "tvNsec"],
	"ipc_ds": ["uid", "gid", "mode", "qbytes"],
	"semun": ["values"],
	"pointer": ["pointer"],
}

decoded(content, fields) := {field: value |
	some field in fields
	value := content[field]
	is_short(value)
}

# The longest list that evidence repeats.
longest_list := 16

is_short(value) if not is_array(value)

is_short(value) if count(value) <= longest_list
