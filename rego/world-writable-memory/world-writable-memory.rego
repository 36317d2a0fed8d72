# METADATA
# title: Private segment created that everybody can write to
# description: |
#   A process created a segment without a key whose mode lets every user of the
#   host write to it. Those that it is meant for get its id some other way; but
#   ids are small numbers, /proc/sysvipc/shm lists them, and so everybody else can
#   attach it too. Old toolkits of X11 share images of windows like that, which is
#   how Mesa (CVE-2019-5068) and Qt (CVE-2013-0254) leaked them and lost control
#   of them. With a key it is IPCW-002.
# related_resources:
#   - ref: https://cwe.mitre.org/data/definitions/732.html
#     description: Incorrect permission assignment for a critical resource
#   - ref: https://nvd.nist.gov/vuln/detail/CVE-2019-5068
#   - ref: https://nvd.nist.gov/vuln/detail/CVE-2013-0254
#   - ref: https://man7.org/linux/man-pages/man7/sysvipc.7.html
#     description: Permissions of System V IPC objects
# custom:
#   id: IPCW-046
#   severity: low
#   events: [shmget]
#   attack: [T1222.002]
#   tags: [CVE-2013-0254, CVE-2019-5068, CWE-732]
#   false_positives:
#     - Old clients of X11, such as x11perf, share images with a server of another user like this; suppress them by executable.
package ipcwarden.world_writable_memory

import data.ipcwarden.mode
import data.ipcwarden.number

match if {
	input.object.created
	input.object.key == 0 # IPC_PRIVATE
	mode.world_writable(input.object.mode)
}

evidence["id"] := input.object.id

evidence["bytes"] := input.object.segsz

evidence["mode"] := number.octal(input.object.mode)
