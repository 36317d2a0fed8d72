// Package status is what a running ipcwarden knows of itself: the counters of every
// part, and whether all is well. It is what the API answers, what metrics are made
// of, and what health is judged by.
package status

import "time"

// Status is the state at one moment. Counters count from the start of the process.
type Status struct {
	Version string    `json:"version"` // of ipcwarden
	PID     int       `json:"pid"`
	Host    string    `json:"host"`
	Started time.Time `json:"started"`
	// Time is when the goroutine of the events counted. It does so every second: if
	// Time is old, no event is read any more.
	Time time.Time `json:"time"`

	Ready  bool    `json:"ready"` // all checks are ok
	Checks []Check `json:"checks"`

	Capture      Capture       `json:"capture"`
	Rates        Rates         `json:"rates"`
	Signatures   []Signature   `json:"signatures"`   // by id
	Correlations []Correlation `json:"correlations"` // of the signatures that correlate, by id
	Suppressions []Suppression `json:"suppressions"` // in the order of the configuration
	Throttled    Throttled     `json:"throttled"`
	Alerts       Alerts        `json:"alerts"`
	Sinks        []Sink        `json:"sinks"`
	Spool        *Spool        `json:"spool,omitempty"` // nil if there is none
	Reload       Reload        `json:"reload"`
	API          API           `json:"api"`
}

// Check is one condition of being ready.
type Check struct {
	Name   string `json:"name"`
	OK     bool   `json:"ok"`
	Detail string `json:"detail"`
}

// Capture is what became of the calls: Entered = Emitted + Filtered + Unmatched +
// Aggregated + InFlight + all of Lost.
type Capture struct {
	Attached  bool   `json:"attached"` // the programs are in the kernel
	Hook      string `json:"hook"`
	Why       string `json:"why"` // that hook
	Entered   uint64 `json:"entered"`
	Emitted   uint64 `json:"emitted"`
	Filtered  uint64 `json:"filtered"`
	Unmatched uint64 `json:"unmatched"` // no signature could match
	// Aggregated calls were counted by the kernel, in a flood of what was found or of
	// calls that repeat each other. Repeated is those of the latter that events have
	// told of.
	Aggregated uint64            `json:"aggregated"`
	Repeated   uint64            `json:"repeated"`
	InFlight   uint64            `json:"inFlight"`  // have not returned
	Lost       map[string]uint64 `json:"lost"`      // by cause
	Cut        uint64            `json:"cut"`       // captures of memory that were shortened
	RingBytes  uint64            `json:"ringBytes"` // size of the ring
	RingUsed   uint64            `json:"ringUsed"`  // bytes in it at Time
}

// LostCalls is the number of lost calls of any cause.
func (c *Capture) LostCalls() (n uint64) {
	for _, lost := range c.Lost {
		n += lost
	}
	return n
}

// Rates are averages a second, over the last ten seconds or since the start.
type Rates struct {
	Calls  float64 `json:"calls"` // that were entered
	Events float64 `json:"events"`
	Lost   float64 `json:"lost"`
	Alerts float64 `json:"alerts"`
}

// Signature is what a signature has done.
type Signature struct {
	ID          string  `json:"id"`
	Evaluations uint64  `json:"evaluations"` // events that it can match
	Matches     uint64  `json:"matches"`
	Errors      uint64  `json:"errors"`   // events on which it could not decide
	Panics      uint64  `json:"panics"`   // events on which it panicked
	Overruns    uint64  `json:"overruns"` // events on which it took too long
	Seconds     float64 `json:"seconds"`  // that evaluations took, estimated from every 64th
	Suspended   bool    `json:"suspended"`
}

// Correlation is what became of the matches of a signature that correlates.
type Correlation struct {
	ID      string `json:"id"`
	Matches uint64 `json:"matches"`
	Found   uint64 `json:"found"`
	Late    uint64 `json:"late"`    // matches that came too late to count
	Evicted uint64 `json:"evicted"` // groups that were given up for want of memory
	Groups  int    `json:"groups"`  // that are remembered
	Bytes   int    `json:"bytes"`   // that they take, about
}

// Suppression is what an entry of suppress has left out since it was loaded.
type Suppression struct {
	Entry   string    `json:"entry"` // in one line
	Reason  string    `json:"reason"`
	Count   uint64    `json:"count"`         // findings
	Last    time.Time `json:"last,omitzero"` // when the event of the last one was
	Expires time.Time `json:"expires,omitzero"`
	Expired bool      `json:"expired"` // so that its findings give alerts again
}

// Throttled is findings that have no alert of their own.
type Throttled struct {
	Repeated  uint64 `json:"repeated"`  // that another alert stands for
	OverLimit uint64 `json:"overLimit"` // beyond the limit of their signature
	Evicted   uint64 `json:"evicted"`   // groups whose window ended early, for want of room
}

// Alerts is what became of alerts.
type Alerts struct {
	Delivered   uint64 `json:"delivered"`   // to every sink, or into its queue
	Undelivered uint64 `json:"undelivered"` // not to every one
}

// Sink is what became of the alerts at one sink.
type Sink struct {
	Name     string `json:"name"`
	Queue    int    `json:"queue"`    // alerts that wait
	Capacity int    `json:"capacity"` // of the queue; 0 if there is none
	Sent     uint64 `json:"sent"`
	Below    uint64 `json:"below"`   // less severe than the sink wants
	Failed   uint64 `json:"failed"`  // given up after all tries
	Dropped  uint64 `json:"dropped"` // not taken, as the queue was full
	Retries  uint64 `json:"retries"`
	Failing  string `json:"failing,omitempty"` // why the last delivery failed; empty if it did not
	// Since is when deliveries began to fail; zero if they do not.
	Since time.Time `json:"since,omitzero"`
}

// Spool is what became of the alerts on disk.
type Spool struct {
	Bytes     int64  `json:"bytes"`
	MaxBytes  int64  `json:"maxBytes"`
	Taken     uint64 `json:"taken"`             // alerts that were written
	Delivered uint64 `json:"delivered"`         // alerts that no sink waits for any more, of earlier processes as well
	Dropped   uint64 `json:"dropped"`           // alerts that made room for others, delivered or not
	Unstored  uint64 `json:"unstored"`          // alerts that could not be written, and went to the sinks from memory
	Errors    uint64 `json:"errors"`            // failed attempts to write
	CutBytes  int64  `json:"cutBytes"`          // that could not be read any more
	Failing   string `json:"failing,omitempty"` // why it cannot be written to; empty if it can
}

// Reload is what became of reloads.
type Reload struct {
	Successes uint64    `json:"successes"` // the first load included
	Failures  uint64    `json:"failures"`
	Loaded    time.Time `json:"loaded"`   // when what is in use was loaded
	Problems  []string  `json:"problems"` // why the last attempt failed; empty if it did not
}

// API is who follows the alerts.
type API struct {
	Followers int    `json:"followers"`
	Dropped   uint64 `json:"dropped"` // alerts that followers were too slow for
}
