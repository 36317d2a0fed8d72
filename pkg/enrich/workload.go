package enrich

import (
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/ipcwarden/ipcwarden/pkg/event"
)

// maxState bounds what is read of a file of a runtime, in bytes.
const maxState = 4 << 20

// workloads asks the files that container runtimes keep, in directories that are
// root's, of the container of an id. It asks once for each.
type workloads struct {
	root  string // of these directories, normally /
	known *cache[string, *event.Workload]
}

func newWorkloads(root string) workloads {
	return workloads{root: root, known: newCache[string, *event.Workload](cacheEntries)}
}

// of returns what is known of a container, or nil.
func (w *workloads) of(containerID string) *event.Workload {
	if !isID(containerID) { // others are names, and could lead anywhere
		return nil
	}
	if known := w.known.get(containerID); known != nil {
		return *known
	}
	for _, ask := range []func(string) *event.Workload{w.docker, w.cri, w.podman} {
		if found := ask(containerID); found != nil {
			return *w.known.put(containerID, found)
		}
	}
	return *w.known.put(containerID, nil)
}

// docker reads what Docker keeps of a container.
func (w *workloads) docker(id string) *event.Workload {
	var state struct {
		Name, Image string
		Config      struct{ Image string }
	}
	if !w.read(&state, "var/lib/docker/containers", id, "config.v2.json") {
		return nil
	}
	return &event.Workload{Name: strings.TrimPrefix(state.Name, "/"), Image: state.Config.Image, ImageDigest: state.Image}
}

// bundles are the directories in which runtimes of Kubernetes keep what they start a
// container by: that of containerd, and that of CRI-O.
var bundles = []string{
	"run/containerd/io.containerd.runtime.v2.task/k8s.io/<id>",
	"run/containers/storage/overlay-containers/<id>/userdata",
}

// The annotations that they make, of which the first that is there counts.
var (
	nameAnnotations      = []string{"io.kubernetes.cri.container-name", "io.kubernetes.container.name"}
	imageAnnotations     = []string{"io.kubernetes.cri.image-name", "io.kubernetes.cri-o.ImageName"}
	digestAnnotations    = []string{"io.kubernetes.cri.image-ref", "io.kubernetes.cri-o.ImageRef"}
	podAnnotations       = []string{"io.kubernetes.cri.sandbox-name", "io.kubernetes.pod.name"}
	namespaceAnnotations = []string{"io.kubernetes.cri.sandbox-namespace", "io.kubernetes.pod.namespace"}
	uidAnnotations       = []string{"io.kubernetes.cri.sandbox-uid", "io.kubernetes.pod.uid"}
)

// cri reads the annotations of a container that a kubelet asked for.
func (w *workloads) cri(id string) *event.Workload {
	for _, bundle := range bundles {
		var spec struct{ Annotations map[string]string }
		if !w.read(&spec, strings.ReplaceAll(bundle, "<id>", id), "config.json") {
			continue
		}
		first := func(names []string) string {
			for _, name := range names {
				if value := spec.Annotations[name]; value != "" {
					return value
				}
			}
			return ""
		}
		found := event.Workload{
			Name: first(nameAnnotations), Image: first(imageAnnotations), ImageDigest: first(digestAnnotations),
			PodName: first(podAnnotations), PodNamespace: first(namespaceAnnotations), PodUID: first(uidAnnotations),
		}
		if found != (event.Workload{}) {
			return &found
		}
	}
	return nil
}

// podman reads what Podman keeps of the containers of root.
func (w *workloads) podman(id string) *event.Workload {
	var all []struct{ ID, Image, Metadata string }
	if !w.read(&all, "var/lib/containers/storage/overlay-containers", "containers.json") {
		return nil
	}
	for _, c := range all {
		var about struct {
			Image string `json:"image-name"`
			Name  string `json:"name"`
		}
		if c.ID == id && json.Unmarshal([]byte(c.Metadata), &about) == nil {
			return &event.Workload{Name: about.Name, Image: about.Image, ImageDigest: c.Image}
		}
	}
	return nil
}

// read fills v from a JSON file, and tells whether it is there and could be read.
func (w *workloads) read(v any, path ...string) bool {
	file, err := os.Open(filepath.Join(append([]string{w.root}, path...)...))
	if err != nil {
		return false
	}
	defer file.Close()
	return json.NewDecoder(io.LimitReader(file, maxState)).Decode(v) == nil
}
