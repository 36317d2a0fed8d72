package event

import "strings"

// MaxAncestors bounds Process.Ancestors.
const MaxAncestors = 8

// Ancestor is a process above another one: its parent, the parent's parent, and so on.
// A list of them begins with the parent. It is shared by events, and never changes.
type Ancestor struct {
	HostPID uint32
	Comm    string // of its first thread
}

// AncestorInfo is an ancestor in the document.
type AncestorInfo struct {
	HostProcessID uint32 `json:"hostProcessId" doc:"process id in the initial PID namespace"`
	ProcessName   string `json:"processName" doc:"comm of the process's first thread"`
}

// AncestorInfos is Document.Ancestors.
func (e *Event) AncestorInfos() []AncestorInfo {
	var infos []AncestorInfo
	for _, a := range e.Process.Ancestors {
		infos = append(infos, AncestorInfo{a.HostPID, strings.ToValidUTF8(a.Comm, "\ufffd")})
	}
	return infos
}

// restoreAncestors undoes AncestorInfos.
func (d *Document) restoreAncestors() []Ancestor {
	var list []Ancestor
	for _, a := range d.Ancestors[:min(len(d.Ancestors), MaxAncestors)] {
		list = append(list, Ancestor{a.HostProcessID, a.ProcessName})
	}
	return list
}
