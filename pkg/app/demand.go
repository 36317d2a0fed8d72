package app

import (
	"slices"
	"time"

	"github.com/ipcwarden/ipcwarden/pkg/detect"
	"github.com/ipcwarden/ipcwarden/pkg/event"
	"github.com/ipcwarden/ipcwarden/pkg/pushdown"
)

// adjustable is what a change of signatures needs of the probe.
type adjustable interface {
	SetEvents(event.Set) error
	SetWanted(pushdown.Set) error
	Mute(signature string, pid uint32, lasts time.Duration) error
}

// demand tells the capture what signatures need of it. The zero demand is for events
// that are there already, as in a recording: nobody is told.
type demand struct {
	probe    adjustable
	pushdown bool         // the capture leaves out what no signature can match
	wanted   pushdown.Set // what it is told that signatures can match
}

// set says what to capture. The old and the new have to have in common what must not
// be missed meanwhile.
func (d *demand) set(events event.Set, wanted pushdown.Set) error {
	if d.probe == nil {
		return nil
	}
	if err := d.probe.SetEvents(events); err != nil || !d.pushdown {
		return err
	}
	if err := d.probe.SetWanted(wanted); err != nil {
		return err
	}
	d.wanted = wanted
	return nil
}

// mute tells the capture that a signature has found that a process does too much of
// something: in a flood, more of it until the signature could find it again need only
// be counted.
func (d *demand) mute(meta *detect.Metadata, doc *event.Document) error {
	c := meta.Correlation
	if d.probe == nil || !d.pushdown || doc == nil || !c.Type.Counts() || !c.Operator.Rises() ||
		!slices.ContainsFunc(c.GroupBy, func(path string) bool { return path == "hostProcessId" || path == "hostThreadId" }) {
		return nil
	}
	return d.probe.Mute(meta.ID, doc.HostProcessID, c.Timespan)
}
