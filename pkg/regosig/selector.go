package regosig

import (
	"slices"
	"strings"

	"github.com/open-policy-agent/opa/v1/ast"

	"github.com/ipcwarden/ipcwarden/pkg/event"
	"github.com/ipcwarden/ipcwarden/pkg/nearest"
)

// origins is the set of places from which a selector takes events.
type origins uint8

// Tracee's origins. A container's start-up, before its own program runs, is an
// origin of its own.
const (
	fromHost origins = 1 << iota
	fromContainer
	fromContainerInit

	anyOrigin = fromHost | fromContainer | fromContainerInit
)

// originNames spells the origins as selectors do.
var originNames = map[string]origins{
	"": anyOrigin, "*": anyOrigin,
	"host": fromHost, "container": fromContainer, "container-init": fromContainerInit,
}

func (o origins) has(other origins) bool { return o&other != 0 }

// originOf is where an event comes from, by Tracee's definition: containerStarted and
// containerId are those of its document.
func originOf(containerStarted bool, containerID string) origins {
	switch {
	case containerStarted:
		return fromContainer
	case containerID != "":
		return fromContainerInit
	default:
		return fromHost
	}
}

// selectEvents reads tracee_selected_events, which is at loc. Events that ipcwarden does
// not see are no error, so that Tracee's signatures load as they are, but a warning.
func (s *tracee) selectEvents(p *regoPackage, value any, loc *ast.Location, ps *problems) {
	selectors, ok := value.([]any)
	if !ok {
		ps.at(loc, "%s is %s, not a set", traceeSelected, kindOf(value))
		return
	}
	if len(selectors) == 0 {
		ps.at(loc, "%s is empty", traceeSelected)
	}
	for _, element := range selectors {
		selector, ok := element.(map[string]any)
		if !ok {
			ps.at(loc, "%s has %s, not only objects", traceeSelected, kindOf(element))
			continue
		}
		s.selectEvent(p, selector, loc, ps)
	}
}

func (s *tracee) selectEvent(p *regoPackage, selector map[string]any, loc *ast.Location, ps *problems) {
	text := func(key string) string {
		v, ok := selector[key]
		if t, isText := v.(string); !ok || isText {
			return t
		}
		ps.at(loc, "%s: %s is %s, not a string", traceeSelected, key, kindOf(v))
		return ""
	}
	source, name, origin := text("source"), text("name"), text("origin")
	from, ok := originNames[origin]
	if !ok {
		ps.at(loc, "%s: origin %q is none of *, host, container, container-init", traceeSelected, origin)
	}
	switch row := event.ByName(name); {
	case source == "":
		ps.at(loc, "%s: a selector has no source", traceeSelected)
	case source != "tracee":
		s.unseen = true
		ps.warnAt(p.mention(source, loc), "selects events of source %s, which ipcwarden does not have", source)
	case name == "" || name == "*":
		s.unseen = true
		for _, row := range event.Rows() {
			s.selectRow(row, from)
		}
	case row != nil:
		s.selectRow(row, from)
	case isSlip(name):
		ps.at(p.mention(name, loc), "there is no event %q; the nearest is %s", name, nearest.Name(name, event.All.Names()))
	default:
		s.unseen = true
		ps.warnAt(p.mention(name, loc), "selects %s, which ipcwarden does not see", name)
	}
}

// isSlip tells the name of an event with one letter wrong, missing or too many, or two
// letters swapped, from the names of the many events that only Tracee has.
func isSlip(name string) bool {
	near := nearest.Name(name, event.All.Names())
	swapped := func() bool {
		return slices.Equal(slices.Sorted(strings.SplitSeq(name, "")), slices.Sorted(strings.SplitSeq(near, "")))
	}
	distance := nearest.Distance(name, near)
	return distance == 1 || distance == 2 && swapped()
}

func (s *tracee) selectRow(row *event.Row, from origins) {
	s.selected[row.ID] |= from
	s.metadata.Events = s.metadata.Events.With(row.ID)
}

// accepts tells whether the signature takes an event of a name from an origin.
func (s *tracee) accepts(name string, from origins) bool {
	row := event.ByName(name)
	return row != nil && s.selected[row.ID].has(from)
}
