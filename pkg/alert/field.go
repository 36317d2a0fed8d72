package alert

import "github.com/ipcwarden/ipcwarden/pkg/docpath"

// Field is the value of a field of the event that the alert rests on, as documents have
// it. Of an event that is not remembered any more, the fields are known that its
// correlation groups by.
func (a *Alert) Field(path docpath.Path) (value any, present bool) {
	switch {
	case a.Event != nil:
		return path.Value(a.Event)
	case a.Correlation != nil:
		value = a.Correlation.Group[path.String()]
		return value, value != nil
	default:
		return nil, false
	}
}
