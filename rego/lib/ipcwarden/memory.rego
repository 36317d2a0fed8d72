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
	{look: decoded(region[look], region.type) | some look in ["atEntry", "atExit", "inKernel"]},
)

# What memory of a type is decoded to, if that is no list.
members := {
	"msgbuf": ["mtype"],
	"timespec": ["tvNsec", "tvSec"],
	"ipc_ds": ["gid", "mode", "qbytes", "uid"],
	"pointer": ["pointer"],
}

# And if it is one.
lists := {"sembuf[]": "sops", "semun": "values"}

# The longest that evidence repeats.
longest_list := 16

decoded(content, type) := object.filter(content, fields) if fields := members[type]

else := {name: list |
	name := lists[type]
	list := content[name]
	count(list) <= longest_list
}
