package regosig

import (
	"encoding/json"
	"fmt"

	"github.com/open-policy-agent/opa/v1/ast"

	"github.com/ipcwarden/ipcwarden/pkg/event"
)

// Name is the name of the event; the error says why there is none.
func (r *Recorded) Name() (string, error) {
	name, ok := r.value["eventName"].(string)
	if !ok {
		return "", fmt.Errorf("%s:%d: the document has no eventName", printable(r.File), r.Line)
	}
	return name, nil
}

// origin is where the event comes from.
func (r *Recorded) origin() origins {
	var d event.Document
	d.ContainerID, _ = r.value["containerId"].(string)
	flags, _ := r.value["contextFlags"].(map[string]any)
	d.ContextFlags.ContainerStarted, _ = flags["containerStarted"].(bool)
	return originOf(d.ContextFlags.ContainerStarted, d.ContainerID)
}

// Event is the event that the document was made of, as far as documents tell.
func (r *Recorded) Event() (*event.Event, error) {
	text, err := json.Marshal(r.value)
	if err != nil {
		return nil, fmt.Errorf("%s:%d: %w", printable(r.File), r.Line, err)
	}
	var d event.Document
	e := new(event.Event)
	if err = json.Unmarshal(text, &d); err == nil {
		err = d.Event(e)
	}
	if err != nil {
		return nil, fmt.Errorf("%s:%d: %s", printable(r.File), r.Line, printable(err.Error()))
	}
	return e, nil
}

// Events are the events that documents were made of.
func Events(documents []Recorded) ([]*event.Event, error) {
	events := make([]*event.Event, len(documents))
	for i := range documents {
		var err error
		if events[i], err = documents[i].Event(); err != nil {
			return nil, err
		}
	}
	return events, nil
}

// term is the document as the input of a query.
func (r *Recorded) term() (*ast.Term, error) {
	value, err := ast.InterfaceToValue(r.value)
	if err != nil {
		return nil, fmt.Errorf("%s:%d: %w", printable(r.File), r.Line, err)
	}
	return ast.NewTerm(value), nil
}
