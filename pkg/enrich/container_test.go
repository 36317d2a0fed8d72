package enrich

import (
	"strings"
	"testing"
)

func TestContainerID(t *testing.T) {
	const (
		inner = "fedcba9876543210fedcba9876543210fedcba9876543210fedcba9876543210"
		pod   = "/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod1234_5678.slice"
	)
	tests := map[string]string{
		"":                            "",
		"/":                           "",
		"/system.slice/ssh.service":   "",
		"/user.slice/user-1000.slice": "",
		"/docker/" + hexID:            hexID,
		"/docker/" + hexID + "/a/b":   hexID,
		"/system.slice/docker-" + hexID + ".scope":                               hexID,
		"/system.slice/docker-" + hexID + ".scope/init.scope":                    hexID,
		"/system.slice/docker-" + hexID[1:] + ".scope":                           "",
		"/system.slice/docker-" + strings.ToUpper(hexID) + ".scope":              "",
		"/../../docker/" + hexID:                                                 hexID,
		pod + "/cri-containerd-" + hexID + ".scope":                              hexID,
		pod + "/crio-" + hexID + ".scope":                                        hexID,
		pod + "/crio-" + hexID + ".scope/container":                              hexID,
		pod + "/crio-conmon-" + hexID + ".scope":                                 "",
		pod + "/" + hexID:                                                        hexID,
		"/kubepods/besteffort/pod1234/" + hexID:                                  hexID,
		"/kubepods/besteffort/pod1234":                                           "",
		"/k8s.io/" + hexID:                                                       hexID,
		"/system.slice/containerd.service/kubepods-pod1:cri-containerd:" + hexID: hexID,
		"/machine.slice/libpod-" + hexID + ".scope":                              hexID,
		"/machine.slice/libpod-" + hexID + ".scope/container":                    hexID,
		"/libpod_parent/libpod-" + hexID:                                         hexID,
		"/machine.slice/libpod-conmon-" + hexID + ".scope":                       "",
		"/docker/" + hexID + "/kubelet/kubepods/pod1/" + inner:                   inner,
		"/" + hexID: "",
		"/machine.slice/systemd-nspawn@web.service":                    "web",
		"/machine.slice/systemd-nspawn@web.service/payload/init.scope": "web",
		"/lxc.payload.web/system.slice":                                "web",
		"/lxc/web/init.scope":                                          "web",
		"/lxc":                                                         "",
		"/lxc.monitor.web":                                             "",
	}
	for path, want := range tests {
		if got := containerID(path); got != want {
			t.Errorf("containerID(%q) = %q, want %q", path, got, want)
		}
	}
}

func FuzzContainerID(f *testing.F) {
	f.Add("/docker/" + hexID)
	f.Add("/a:cri-containerd:" + hexID + "//")
	f.Add("0::/lxc/\n1:x:/systemd-nspawn@.service")
	f.Fuzz(func(t *testing.T, s string) {
		unified, others := parseCgroupFile(s)
		for _, path := range append(others, unified, s) {
			id := containerID(path)
			if strings.Contains(id, "/") || !strings.Contains(path, id) {
				t.Fatalf("containerID(%q) = %q", path, id)
			}
		}
	})
}
