package correlate

import (
	"fmt"

	"github.com/ipcwarden/ipcwarden/pkg/detect"
)

// stateOf returns what makes the state of a new group.
func stateOf(c *detect.Correlation) (func() state, error) {
	timespan := int64(c.Timespan)
	if timespan <= 0 {
		return nil, fmt.Errorf("a timespan of %s", c.Timespan)
	}
	switch {
	case c.Type.Counts():
		return countOf(c, timespan)
	case len(c.Steps) < 2:
		return nil, fmt.Errorf("%s of %d steps", c.Type, len(c.Steps))
	case c.Type == detect.Temporal:
		return func() state { return &together{timespan: timespan, steps: make([]sample, len(c.Steps)), muted: never} }, nil
	case c.Type == detect.TemporalOrdered:
		return func() state {
			return &sequence{timespan: timespan, steps: make([][]*link, len(c.Steps)), muted: never}
		}, nil
	}
	return nil, fmt.Errorf("there is no type %q", c.Type)
}

// never is before every event.
const never = -1

func countOf(c *detect.Correlation, timespan int64) (func() state, error) {
	values := c.Type == detect.ValueCount
	threshold := c.Threshold
	if threshold < 1 || c.Operator == detect.LessThan && threshold < 2 {
		return nil, fmt.Errorf("%s %d holds always or never", c.Operator, c.Threshold)
	}
	if !c.Operator.Rises() {
		rule := &windowRule{least: 1, most: int(threshold), timespan: timespan, distinct: values}
		switch c.Operator {
		case detect.AtMost:
		case detect.LessThan:
			rule.most--
		case detect.Exactly:
			rule.least = rule.most
		default:
			return nil, fmt.Errorf("there is no comparison %q", c.Operator)
		}
		if threshold >= maxStamps {
			return nil, fmt.Errorf("%s takes less than %d", c.Operator, maxStamps)
		}
		return func() state { return &window{windowRule: rule} }, nil
	}
	if c.Operator == detect.MoreThan {
		threshold++
	}
	if values {
		return func() state { return &distinct{threshold: int(threshold), timespan: timespan, muted: never} }, nil
	}
	rule := newSlidingRule(threshold, timespan)
	return func() state { return &sliding{slidingRule: rule, muted: never} }, nil
}
