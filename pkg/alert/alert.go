// Package alert is what ipcwarden tells the world: a signature's finding on one
// event, or the news that it is blind to something.
package alert

import (
	"time"

	"github.com/ipcwarden/ipcwarden/pkg/detect"
	"github.com/ipcwarden/ipcwarden/pkg/event"
)

// Version is the version of the schema. It changes when a field goes away or
// changes its meaning, not when one is added.
const Version = 1

// Type tells a finding from what could have kept findings from being made.
type Type string

// The types. A finding has Signature and Event, Correlation if it rests on many
// events, and Repeated if it stands for others; a gap has Gap, and suspended has
// Signature, Suspension and Event. Suppressed has Signature and Suppressed, and
// delivery has Delivery.
const (
	TypeFinding    Type = "finding"
	TypeGap        Type = "gap"
	TypeSuspended  Type = "suspended"
	TypeSuppressed Type = "suppressed"
	TypeDelivery   Type = "delivery"
)

// Types lists the types.
var Types = []Type{TypeFinding, TypeGap, TypeSuspended, TypeSuppressed, TypeDelivery}

// Alert is one entry of the alert stream. It owns everything that it refers to,
// and nobody changes it once it is made: sinks may share it and keep it.
// docs/alert.schema.json is generated from it; a field's doc tag is its
// description there.
type Alert struct {
	Version   int             `json:"version" doc:"version of this schema: 1"`
	ID        string          `json:"id" doc:"unique id of the alert, a hash of the rest of it; a repeated delivery has the same, and so has the alert of a replay"`
	Type      Type            `json:"type" doc:"finding; gap for calls that were lost; suspended for a signature that is evaluated no more; suppressed for findings beyond the limit of their signature; delivery for alerts that cannot be delivered or stored, and for the end of that"`
	Time      time.Time       `json:"time" doc:"when it was found, by the time of the events, UTC with nanoseconds: the end of the call that completed a finding, or of the gap, or of the last evaluation that took too long, or of the last finding beyond a limit; of a delivery the time of the news"`
	Severity  detect.Severity `json:"severity" doc:"info, low, medium, high or critical"`
	Host      string          `json:"host" doc:"name of the host"`
	Signature *Signature      `json:"signature,omitempty" doc:"finding: the signature that matched; suspended: the one that is; suppressed: the one with too many findings"`
	Evidence  map[string]any  `json:"evidence,omitempty" doc:"finding: what the signature wants the reader to see"`
	Event     *event.Document `json:"event,omitempty" doc:"finding: the event that the signature matched, which a correlation does without if it is not remembered any more; suspended: the last one that took too long"`
	// Correlation is there for a finding that rests on many events.
	Correlation *Correlation `json:"correlation,omitempty" doc:"finding that rests on many events: what they are; event is then the one that completed it"`

	// Repeated is there for a finding that stands for others like it.
	Repeated *Repeated `json:"repeated,omitempty" doc:"finding that stands for others that were alike and have no alert of their own: how many; the alert is then that of the last one"`

	Gap *Gap `json:"gap,omitempty" doc:"gap: what was lost"`

	Suspension *Suspension `json:"suspension,omitempty" doc:"suspended: why"`

	Suppressed *Suppressed `json:"suppressed,omitempty" doc:"suppressed: how many findings have no alert"`

	Delivery *Delivery `json:"delivery,omitempty" doc:"delivery: what cannot be delivered or stored, or can be again"`
}

// Signature is what an alert says about the signature that matched.
type Signature struct {
	ID             string         `json:"id" doc:"id of the signature"`
	Title          string         `json:"title" doc:"what the signature finds, in a few words"`
	Description    string         `json:"description" doc:"what the signature finds, and why that matters"`
	Version        string         `json:"version" doc:"version of the signature"`
	Attack         []string       `json:"attack" doc:"MITRE ATT&CK technique ids"`
	References     []string       `json:"references" doc:"addresses of published sources"`
	Tags           []string       `json:"tags" doc:"tags that the author gave"`
	FalsePositives []string       `json:"falsePositives" doc:"benign behaviour that matches, and how to tell it apart"`
	Properties     map[string]any `json:"properties,omitempty" doc:"whatever else the author declared"`
}

// Correlation is what a signature about many events has found.
type Correlation struct {
	Type    string            `json:"type" doc:"event_count, value_count, temporal or temporal_ordered"`
	Group   map[string]any    `json:"group" doc:"the fields by which the events belong together, with their values; null for a field that they do not have"`
	Count   uint64            `json:"count" doc:"number of events, of distinct values or of steps"`
	From    time.Time         `json:"from" doc:"time of the first of the calls: of its end, or for temporal_ordered of its start"`
	To      time.Time         `json:"to" doc:"time of the end of the last of the calls"`
	First   *event.Document   `json:"first,omitempty" doc:"the first of the events; if it is not remembered any more, the earliest that is"`
	Samples []*event.Document `json:"samples,omitempty" doc:"up to five of the events between first and event"`
	Steps   []Step            `json:"steps,omitempty" doc:"temporal and temporal_ordered: the steps"`
}

// Step is the event that one step of a correlation matched.
type Step struct {
	Name  string          `json:"name" doc:"name of the step"`
	Event *event.Document `json:"event,omitempty" doc:"the event; absent if it is not remembered any more"`
}

// Gap is a stretch of time in which calls were lost.
type Gap struct {
	From  time.Time `json:"from" doc:"no call was lost before, since the previous gap"`
	To    time.Time `json:"to" doc:"when the loss was noticed"`
	Count uint64    `json:"count" doc:"number of calls that were lost"`
	Cause string    `json:"cause" doc:"why they were lost; aggregated for calls that were but counted"`
	Hook  string    `json:"hook" doc:"way of capture"`

	Aggregated *Aggregated `json:"aggregated,omitempty" doc:"which calls were but counted"`
}

// Aggregated says which calls were but counted in a flood: those of a process, as a
// signature had found already that there were too many of them.
type Aggregated struct {
	SignatureID   string `json:"signatureId" doc:"id of the signature, which alone they could match"`
	EventName     string `json:"eventName" doc:"event of the calls"`
	HostProcessID uint32 `json:"hostProcessId" doc:"process id on the host"`
}

// Suspension is why a signature is not evaluated any more, until the signatures
// are reloaded.
type Suspension struct {
	From     time.Time `json:"from" doc:"end of the first evaluation that took too long"`
	To       time.Time `json:"to" doc:"end of the last evaluation that took too long"`
	Overruns int       `json:"overruns" doc:"number of evaluations that took too long"`
	BudgetNS int64     `json:"budgetNs" doc:"how long one may take, in nanoseconds"`
}

// Repeated is how many findings of one signature in one group an alert stands for.
// The first of them had an alert of its own, and does not count here.
type Repeated struct {
	Count uint64    `json:"count" doc:"number of findings that the alert stands for, itself among them"`
	First time.Time `json:"first" doc:"time of the call that the first finding of the group rests on, which had an alert of its own"`
	Last  time.Time `json:"last" doc:"time of the call that the last finding rests on"`
}

// Suppressed is findings of one signature that have no alert, as there were more
// than its limit allows.
type Suppressed struct {
	Count uint64    `json:"count" doc:"number of findings without an alert"`
	Limit uint64    `json:"limit" doc:"number of alerts that the signature may give in the time from then on"`
	From  time.Time `json:"from" doc:"begin of the time that the limit is for"`
	To    time.Time `json:"to" doc:"time of the last of these findings"`
}

// Delivery is the news that a sink or the spool stopped working, or works again.
type Delivery struct {
	Sink    string    `json:"sink" doc:"name of the sink; spool for alerts that cannot be stored"`
	State   string    `json:"state" doc:"failing, lost if alerts were lost, or recovered"`
	Problem string    `json:"problem" doc:"what went wrong last"`
	From    time.Time `json:"from" doc:"begin of the failure"`
	To      time.Time `json:"to" doc:"time of this news"`
	Waiting uint64    `json:"waiting" doc:"number of alerts that wait for the sink"`
	Lost    uint64    `json:"lost" doc:"number of alerts that the sink will not get, since the last such news; for the spool, of alerts that were not stored"`
}

// The states of a Delivery.
const (
	DeliveryFailing   = "failing"
	DeliveryLost      = "lost"
	DeliveryRecovered = "recovered"
)
