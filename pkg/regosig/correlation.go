package regosig

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/ipcwarden/ipcwarden/pkg/detect"
	"github.com/ipcwarden/ipcwarden/pkg/event"
	"github.com/ipcwarden/ipcwarden/pkg/nearest"
)

// The keys of custom.correlation.
const (
	typeKey      = "type"
	groupKey     = "group_by"
	timespanKey  = "timespan"
	conditionKey = "condition"
	fieldKey     = "field"
	stepsKey     = "steps"
	untilKey     = "until"
)

var correlationKeys = []string{typeKey, groupKey, timespanKey, conditionKey, fieldKey, stepsKey, untilKey}

// The bounds of a correlation, which keep what a group needs of memory and time
// within reason. docs/correlation.md has them.
const (
	maxTimespan      = 7 * 24 * time.Hour
	maxGroupFields   = 8
	mostSteps        = 8
	maxEventCount    = 1_000_000_000
	maxValueCount    = 4_096
	maxDecidedAtEnd  = 1_000 // lte, lt and eq
	leastSteps       = 2
	correlationBlock = "custom.correlation"
)

// timeUnits are the units of a timespan.
var timeUnits = map[string]time.Duration{
	"ms": time.Millisecond, "s": time.Second, "m": time.Minute, "h": time.Hour, "d": 24 * time.Hour,
}

var timespanPattern = regexp.MustCompile(`^([0-9]{1,9})\s*([a-zA-Zµ]*)$`)

// correlationReader reads one block.
type correlationReader struct {
	*block
	pkg    *regoPackage
	events event.Set
	nodes  map[string]*yaml.Node
}

// readCorrelation reads what is under custom.correlation; nil if something is wrong,
// which is then reported.
func (b *block) readCorrelation(value *yaml.Node, pkg *regoPackage, events event.Set) *detect.Correlation {
	before := len(b.ps.list)
	r := &correlationReader{block: b, pkg: pkg, events: events, nodes: map[string]*yaml.Node{}}
	b.each(value, correlationKeys, func(key string, value *yaml.Node) { r.nodes[key] = value })
	c := &detect.Correlation{}
	if value.Kind == yaml.MappingNode && r.needs(value, typeKey) {
		r.read(c, value)
	}
	if pkg.has(findingsRule) {
		b.problem(value, "%s goes with %s, which an event has once, and not with %s", correlationBlock, matchRule, findingsRule)
	}
	if len(b.ps.list) > before {
		return nil
	}
	return c
}

func (r *correlationReader) read(c *detect.Correlation, at *yaml.Node) {
	c.Type = named(r.block, correlationBlock+"."+typeKey, "type", r.nodes[typeKey], detect.CorrelationTypes)
	if c.Type == "" {
		return
	}
	wanted, unwanted := []string{conditionKey}, []string{fieldKey, stepsKey, untilKey}
	switch c.Type {
	case detect.ValueCount:
		wanted, unwanted = []string{conditionKey, fieldKey}, []string{stepsKey, untilKey}
	case detect.Temporal:
		wanted, unwanted = []string{stepsKey}, []string{conditionKey, fieldKey, untilKey}
	case detect.TemporalOrdered:
		wanted, unwanted = []string{stepsKey}, []string{conditionKey, fieldKey}
	}
	for _, key := range unwanted {
		if n := r.nodes[key]; n != nil {
			r.problem(n, "%s: %s does not go with type %s", correlationBlock, key, c.Type)
		}
	}
	for _, key := range append(wanted, timespanKey) {
		r.needs(at, key)
	}
	if n := r.nodes[groupKey]; n != nil {
		c.GroupBy = r.groupBy(n)
	}
	if n := r.nodes[timespanKey]; n != nil {
		c.Timespan = r.timespan(n)
	}
	if c.Type.Counts() {
		r.readCount(c)
	} else {
		r.readSteps(c)
	}
}

// needs reports that a key is missing.
func (r *correlationReader) needs(at *yaml.Node, key string) bool {
	if r.nodes[key] == nil {
		r.problem(at, "%s lacks %s", correlationBlock, key)
		return false
	}
	return true
}

// named is a value that must be one of several names.
func named[T ~string](b *block, key, what string, value *yaml.Node, names []T) T {
	text := b.text(key, value)
	if text == "" || slices.Contains(names, T(text)) {
		return T(text)
	}
	list := make([]string, len(names))
	for i, name := range names {
		list[i] = string(name)
	}
	b.problem(value, "%s: there is no %s %q; the nearest is %s", key, what, text, nearest.Name(text, list))
	return ""
}

func (r *correlationReader) groupBy(value *yaml.Node) []string {
	key := correlationBlock + "." + groupKey
	list := r.list(key, value)
	if len(list) > maxGroupFields {
		r.problem(value, "%s: more than %d fields", key, maxGroupFields)
	}
	for i, path := range list {
		if r.checkField(key, path, value.Content[i]); slices.Contains(list[:i], path) {
			r.problem(value.Content[i], "%s: field %s is there twice", key, path)
		}
	}
	return list
}

// checkField holds a path to the schema of the document, and to the events that the
// signature selects.
func (r *correlationReader) checkField(key, path string, at *yaml.Node) {
	schema, parent := eventSchema(), "input"
	parts := strings.Split(path, ".")
	if parts[0] == parent {
		r.problem(at, "%s: leave out %s. of %s", key, parent, path)
		return
	}
	for _, part := range parts {
		names := schema.names()
		if selected, differs := wordsOf(r.events).fields[parent]; differs {
			names = selected
		}
		if !slices.Contains(names, part) {
			r.problem(at, "%s: %s has no field %s%s", key, parent, part, hint(part, names))
			return
		}
		schema = schema.Properties[part]
		parent += "." + part
	}
	if schema.Type == "array" || schema.Type == "object" || schema.Type == "" {
		r.problem(at, "%s: %s is %s; events are grouped and counted by single values", key, path, schema.kind())
	}
}

func (r *correlationReader) timespan(value *yaml.Node) time.Duration {
	key := correlationBlock + "." + timespanKey
	parts := timespanPattern.FindStringSubmatch(value.Value)
	if value.Kind != yaml.ScalarNode || parts == nil {
		r.problem(value, "%s must be a whole number with a unit, such as 500ms, 1s or 10m", key)
		return 0
	}
	unit, known := timeUnits[parts[2]]
	if !known {
		r.problem(value, "%s: there is no unit %q; the units are ms, s, m, h and d", key, parts[2])
		return 0
	}
	n, _ := strconv.ParseInt(parts[1], 10, 64) // nine digits
	if n == 0 || time.Duration(n) > maxTimespan/unit {
		r.problem(value, "%s: %s is not from 1ms to 7d", key, value.Value)
		return 0
	}
	return time.Duration(n) * unit
}

// readCount reads the condition and what it counts.
func (r *correlationReader) readCount(c *detect.Correlation) {
	if n := r.nodes[fieldKey]; n != nil {
		key := correlationBlock + "." + fieldKey
		if c.Field = r.text(key, n); c.Field != "" {
			r.checkField(key, c.Field, n)
		}
	}
	condition := r.nodes[conditionKey]
	if condition == nil {
		return
	}
	key := correlationBlock + "." + conditionKey
	if condition.Kind != yaml.MappingNode || len(condition.Content) != 2 {
		r.problem(condition, "%s must have one comparison, such as {gte: 500}", key)
		return
	}
	operator, value := condition.Content[0], condition.Content[1]
	if c.Operator = named(r.block, key, "comparison", operator, detect.Operators); c.Operator == "" {
		return
	}
	least, most := uint64(1), uint64(maxEventCount)
	switch {
	case !c.Operator.Rises():
		most = maxDecidedAtEnd
	case c.Type == detect.ValueCount:
		most = maxValueCount
	}
	if c.Operator == detect.LessThan {
		least = 2 // a group has one match at least
	}
	n, err := strconv.ParseUint(value.Value, 10, 64)
	if value.Kind != yaml.ScalarNode || value.Tag != "!!int" || err != nil || n < least || n > most {
		r.problem(value, "%s: %s of %s must be a whole number from %d to %d", key, c.Operator, c.Type, least, most)
		return
	}
	c.Threshold = n
}

// readSteps reads the names of the rules that are the steps.
func (r *correlationReader) readSteps(c *detect.Correlation) {
	if n := r.nodes[stepsKey]; n != nil {
		key := correlationBlock + "." + stepsKey
		c.Steps = r.list(key, n)
		if n.Kind == yaml.SequenceNode && (len(c.Steps) < leastSteps || len(c.Steps) > mostSteps) {
			r.problem(n, "%s must have from %d to %d rules", key, leastSteps, mostSteps)
		}
		for i, name := range c.Steps {
			if r.checkStep(key, name, n.Content[i]); slices.Contains(c.Steps[:i], name) {
				r.problem(n.Content[i], "%s: %s is there twice", key, name)
			}
		}
	}
	if n := r.nodes[untilKey]; n != nil {
		key := correlationBlock + "." + untilKey
		c.Until = r.text(key, n)
		r.checkStep(key, c.Until, n)
		if slices.Contains(c.Steps, c.Until) {
			r.problem(n, "%s: %s is a step already", key, c.Until)
		}
	}
}

// checkStep reports a step that is no rule of the package, or not one that holds
// or does not.
func (r *correlationReader) checkStep(key, name string, at *yaml.Node) {
	if name == "" {
		return // reported
	}
	defining := r.pkg.defining(name)
	if len(defining) == 0 {
		hint := ""
		if near := nearest.Name(name, r.pkg.ruleNames()); near != "" {
			hint = "; the nearest is " + near
		}
		r.problem(at, "%s: package %s has no rule %s%s", key, r.pkg.path, name, hint)
		return
	}
	for _, m := range defining {
		for _, rule := range m.rules(name) {
			if !isFlag(rule) {
				r.ps.at(rule.Location, "step %s must have the form: %s if { … }", name, name)
			}
		}
	}
}
