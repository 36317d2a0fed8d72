package enrich

import (
	"strings"
)

// idLength is the length of the ids that docker, containerd, CRI-O and podman
// give: 256 bits in lower-case hexadecimal.
const idLength = 64

// runtimePrefixes begin the cgroup's name where a container runtime has systemd
// make it a scope: docker-<id>.scope. The helpers of a runtime (crio-conmon-<id>)
// are not in the container.
var runtimePrefixes = []string{"docker-", "cri-containerd-", "crio-", "libpod-"}

// containerID returns the id of the container that a cgroup's path belongs to,
// or for nspawn and LXC its name; "" for none. Of containers in containers it is
// the innermost one. Whoever may create cgroups can name them like a
// container's: the id is evidence, not proof.
func containerID(path string) string {
	for path != "" {
		cut := strings.LastIndexByte(path, '/')
		parent, name := path[:max(cut, 0)], path[cut+1:]
		if id := idOf(parent, name); id != "" {
			return id
		}
		path = parent
	}
	return ""
}

// idOf looks at one directory of the path.
func idOf(parent, name string) string {
	if isID(name) && hasRuntimeParent(parent) {
		return name
	}
	for _, prefix := range runtimePrefixes {
		if rest, ok := strings.CutPrefix(name, prefix); ok {
			if id := strings.TrimSuffix(rest, ".scope"); isID(id) {
				return id
			}
		}
	}
	// containerd with a cgroupfs path under systemd's driver:
	// kubepods-besteffort-pod<uid>.slice:cri-containerd:<id>
	if before, id, ok := cutLast(name, ':'); ok && isID(id) && strings.HasSuffix(before, ":cri-containerd") {
		return id
	}
	return machineName(parent, name)
}

// hasRuntimeParent tells whether a bare id in parent is a container's:
// /docker/<id>, /kubepods/burstable/pod<uid>/<id>, /k8s.io/<id>.
func hasRuntimeParent(parent string) bool {
	for dir := range strings.SplitSeq(parent, "/") {
		switch {
		case dir == "docker", dir == "k8s.io", strings.HasPrefix(dir, "kubepods"):
			return true
		}
	}
	return false
}

// machineName is the name of a container of systemd-nspawn or LXC.
func machineName(parent, name string) string {
	if rest, ok := strings.CutPrefix(name, "systemd-nspawn@"); ok {
		if machine, ok := strings.CutSuffix(rest, ".service"); ok {
			return machine
		}
	}
	if rest, ok := strings.CutPrefix(name, "lxc.payload."); ok {
		return rest
	}
	if dir := parent[strings.LastIndexByte(parent, '/')+1:]; dir == "lxc" || dir == "lxc.payload" {
		return name
	}
	return ""
}

func cutLast(s string, sep byte) (before, after string, found bool) {
	at := strings.LastIndexByte(s, sep)
	if at < 0 {
		return s, "", false
	}
	return s[:at], s[at+1:], true
}

func isID(s string) bool {
	if len(s) != idLength {
		return false
	}
	for i := range len(s) {
		if c := s[i]; (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return true
}
