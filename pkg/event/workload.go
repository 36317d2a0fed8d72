package event

// Workload is what a container's runtime says of it. It is shared by all events of the
// container, and never changes.
type Workload struct {
	Name, Image, ImageDigest      string
	PodName, PodNamespace, PodUID string
}

// workload is empty if nothing is known.
func (p *Process) workload() Workload {
	if p.Workload == nil {
		return Workload{}
	}
	return *p.Workload
}

func (p *Process) container() Container {
	w := p.workload()
	return Container{ID: p.ContainerID, Name: w.Name, Image: w.Image, ImageDigest: w.ImageDigest}
}

func (p *Process) kubernetes() Kubernetes {
	w := p.workload()
	return Kubernetes{PodName: w.PodName, PodNamespace: w.PodNamespace, PodUID: w.PodUID}
}

// restoreWorkload undoes container and kubernetes.
func (d *Document) restoreWorkload() *Workload {
	w := Workload{
		Name: d.Container.Name, Image: d.Container.Image, ImageDigest: d.Container.ImageDigest,
		PodName: d.Kubernetes.PodName, PodNamespace: d.Kubernetes.PodNamespace, PodUID: d.Kubernetes.PodUID,
	}
	if w == (Workload{}) {
		return nil
	}
	return &w
}
