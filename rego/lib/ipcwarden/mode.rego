# METADATA
# description: |
#   What permission bits allow: `input.object.mode`, or the `mode` that IPC_SET asks for.
#   Writing to a semaphore is changing it, to a queue sending.
package ipcwarden.mode

# METADATA
# description: Everybody can read the object.
world_readable(mode) if bits.and(mode, 4) != 0 # 0004

# METADATA
# description: Everybody can write to the object.
world_writable(mode) if bits.and(mode, 2) != 0 # 0002

# METADATA
# description: The object's group can read it.
group_readable(mode) if bits.and(mode, 32) != 0 # 0040

# METADATA
# description: The object's group can write to it.
group_writable(mode) if bits.and(mode, 16) != 0 # 0020

# METADATA
# description: Somebody can attach the segment as executable.
executable(mode) if bits.and(mode, 73) != 0 # 0111

# METADATA
# description: Nobody but the owner and the creator is allowed anything.
private(mode) if bits.and(mode, 63) == 0 # 0077
