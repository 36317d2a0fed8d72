package enrich

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ipcwarden/ipcwarden/pkg/event"
)

// idNumber is an id of a container.
func idNumber(digit string) string { return strings.Repeat(digit, idLength) }

func TestWorkload(t *testing.T) {
	root := t.TempDir()
	for path, content := range map[string]string{
		"var/lib/docker/containers/" + idNumber("1") + "/config.v2.json": `{"State":{"Running":true},"ID":"` + idNumber("1") + `","Created":"2026-01-01T00:00:00Z",
			"Config":{"Hostname":"1111","Image":"nginx:1.27","Labels":{}},"Image":"sha256:abc","Name":"/web","Driver":"overlay2"}`,
		"run/containerd/io.containerd.runtime.v2.task/k8s.io/" + idNumber("2") + "/config.json": `{"ociVersion":"1.1.0","process":{"args":["/pause"]},"annotations":{
			"io.kubernetes.cri.container-name":"shop","io.kubernetes.cri.container-type":"container","io.kubernetes.cri.image-name":"registry.test/shop:2",
			"io.kubernetes.cri.sandbox-name":"shop-0","io.kubernetes.cri.sandbox-namespace":"store","io.kubernetes.cri.sandbox-uid":"6f1e"}}`,
		"run/containers/storage/overlay-containers/" + idNumber("3") + "/userdata/config.json": `{"annotations":{
			"io.kubernetes.container.name":"db","io.kubernetes.cri-o.ImageName":"registry.test/db:3","io.kubernetes.cri-o.ImageRef":"d16e57",
			"io.kubernetes.pod.name":"db-0","io.kubernetes.pod.namespace":"store","io.kubernetes.pod.uid":"7a2b"}}`,
		"run/containers/storage/overlay-containers/" + idNumber("4") + "/userdata/config.json": `{"annotations":{"io.container.manager":"libpod"}}`,
		"var/lib/containers/storage/overlay-containers/containers.json": `[{"id":"` + idNumber("9") + `"},{"id":"` + idNumber("4") + `","names":["cache"],"image":"e5f6",
			"metadata":"{\"image-name\":\"docker.io/library/redis:7\",\"image-id\":\"e5f6\",\"name\":\"cache\",\"created-at\":1}"}]`,
		"var/lib/docker/containers/" + idNumber("5") + "/config.v2.json": `{"Name":7}`,
		"var/lib/docker/containers/" + idNumber("6") + "/config.v2.json": `{"Name":"` + strings.Repeat("x", maxState) + `"}`,
	} {
		path = filepath.Join(root, path)
		for _, err := range []error{os.MkdirAll(filepath.Dir(path), 0o700), os.WriteFile(path, []byte(content), 0o600)} {
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	w := newWorkloads(root)
	for id, want := range map[string]event.Workload{
		idNumber("1"):             {Name: "web", Image: "nginx:1.27", ImageDigest: "sha256:abc"},
		idNumber("2"):             {Name: "shop", Image: "registry.test/shop:2", PodName: "shop-0", PodNamespace: "store", PodUID: "6f1e"},
		idNumber("3"):             {Name: "db", Image: "registry.test/db:3", ImageDigest: "d16e57", PodName: "db-0", PodNamespace: "store", PodUID: "7a2b"},
		idNumber("4"):             {Name: "cache", Image: "docker.io/library/redis:7", ImageDigest: "e5f6"},
		idNumber("5"):             {}, // broken
		idNumber("6"):             {}, // too long
		idNumber("7"):             {}, // not there
		"../" + idNumber("1")[3:]: {},
		"":                        {},
	} {
		var got event.Workload
		if found := w.of(id); found != nil {
			got = *found
		}
		if got != want {
			t.Errorf("%.8s: got %+v, want %+v", id, got, want)
		}
	}
	if err := os.RemoveAll(filepath.Join(root, "var")); err != nil {
		t.Fatal(err)
	}
	if found := w.of(idNumber("1")); found == nil || found != w.of(idNumber("1")) {
		t.Error("what was found is not remembered")
	}
}

func TestWorkloadOfEvent(t *testing.T) {
	proc := newFakeProc(t)
	proc.start(7, 1, "/usr/bin/a", "0::/system.slice/docker-"+hexID+".scope\n")
	proc.start(8, 1, "/usr/bin/b", "0::/\n")
	r := New("host", proc.dir)
	r.workloads.root = t.TempDir()
	dir := filepath.Join(r.workloads.root, "var/lib/docker/containers", hexID)
	proc.check(os.MkdirAll(dir, 0o700))
	proc.check(os.WriteFile(filepath.Join(dir, "config.v2.json"), []byte(`{"Config":{"Image":"nginx"}}`), 0o600))
	inside, outside := eventOf(7, "a", 2*second), eventOf(8, "b", 2*second)
	outside.Process.CgroupID = 1
	outside.Process.Workload = &event.Workload{Image: "of the event before"}
	r.Enrich(inside)
	r.Enrich(outside)
	if w := inside.Process.Workload; w == nil || w.Image != "nginx" {
		t.Errorf("workload %+v in the container", w)
	}
	if w := outside.Process.Workload; w != nil {
		t.Errorf("workload %+v outside of it", w)
	}
}
