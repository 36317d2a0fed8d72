# METADATA
# title: Segment shared by a container and the host
# description: |
#   A process in a container and one that is in none attached the same segment within
#   a day. They can do that only in the same IPC namespace: the container was started
#   with the host's (docker --ipc=host, hostIPC in Kubernetes), or somebody has
#   entered the container's. The segment is then a way into or out of the container
#   that no network policy and no mount shows.
# related_resources:
#   - ref: https://attack.mitre.org/techniques/T1611/
#     description: Escape to host
#   - ref: https://kubernetes.io/docs/concepts/security/pod-security-standards/
#     description: hostIPC, which the baseline forbids
#   - ref: https://docs.docker.com/reference/cli/docker/container/run/
#     description: --ipc
# custom:
#   id: IPCW-041
#   severity: high
#   events: [shmat]
#   attack: [T1611]
#   tags: [CWE-668]
#   correlation:
#     type: temporal
#     group_by: [object.namespace, object.id, object.cpid]
#     timespan: 1d
#     steps: [from_host, from_container]
#   false_positives:
#     - Graphical programs in containers that draw by MIT-SHM on the host's display; display servers in their usual places are left out.
#     - GPU and database containers that are meant to share memory with the host; suppress them by image.
#     - Containers that share a namespace among themselves, as those of a pod do, are not reported.
package ipcwarden.container_crossing

import data.ipcwarden.call
import data.ipcwarden.caller

# Of a process that ended too soon it is not known whether it was in a container.
from_host if {
	call.succeeded
	input.containerId == ""
	input.executable.path != ""
	not caller.display_server
}

from_container if {
	call.succeeded
	input.containerId != ""
}

evidence["container"] := input.containerId if input.containerId != ""

evidence["creatorProcessId"] := input.object.cpid
