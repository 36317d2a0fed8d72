# METADATA
# title: Shared memory attached at a forbidden address
# description: |
#   A process tried to attach a segment below the lowest address that programs
#   may map. That prepares the exploit of a NULL pointer dereference in the
#   kernel: shmat used to round an address with SHM_RND down to page 0 without
#   asking mmap_min_addr (CVE-2017-5669). The attempt is reported even if the
#   kernel refuses it.
# related_resources:
#   - ref: https://nvd.nist.gov/vuln/detail/CVE-2017-5669
#   - ref: https://bugzilla.kernel.org/show_bug.cgi?id=192931
#     description: Report of the missing check of SHM_RND
#   - ref: https://wiki.debian.org/mmap_min_addr
#     description: Why low addresses are forbidden
#   - ref: https://man7.org/linux/man-pages/man2/shmop.2.html
#     description: SHM_RND
# custom:
#   id: IPCW-004
#   severity: high
#   events: [shmat]
#   attack: [T1068]
#   tags: [CVE-2017-5669, CWE-476]
#   false_positives:
#     - dosemu and Wine map low memory for 16-bit programs; suppress them by executable.
#     - stress-ng and LTP try every address; suppress them on test hosts.
package ipcwarden.low_attach

import data.ipcwarden.call

# The default of vm.mmap_min_addr.
lowest_address := 65536

# The length of "0xffff": what is longer is no less than lowest_address.
longest_low_address := 6

match if reasons[_]

reasons contains "asked for a low address" if {
	input.arg.shmaddr != "0x0" # which is for any
	count(input.arg.shmaddr) <= longest_low_address
	can_start_there
}

reasons contains "got a low address" if {
	call.succeeded
	input.returnValue >= 0
	input.returnValue < lowest_address
	not address_unknown
}

can_start_there if "SHM_RND" in input.flags

# A multiple of SHMLBA, which is 0x1000.
can_start_there if endswith(input.arg.shmaddr, "000")

# Through ipc(2) the call itself returns 0, and the address is in the memory
# behind third; where that could not be read, 0 is no address.
address_unknown if {
	input.via == "ipc"
	input.returnValue == 0
	not stored_address
}

stored_address if {
	some region in input.memory
	region.arg == "third"
	region.atExit.state == "read"
}

evidence["reasons"] := reasons

evidence["asked"] := input.arg.shmaddr

evidence["returned"] := input.returnValue if call.succeeded

evidence["flags"] := input.flags

evidence["outcome"] := call.outcome
