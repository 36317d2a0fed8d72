package app

import (
	"github.com/ipcwarden/ipcwarden/pkg/event"
	"github.com/ipcwarden/ipcwarden/pkg/pushdown"
)

// adjustable is what a change of signatures needs of the probe.
type adjustable interface {
	SetEvents(event.Set) error
	SetWanted(pushdown.Set) error
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
