// Package alert is what ipcwarden tells the world: a signature's finding on one
// event, or the news that events were lost.
package alert

import (
	"time"

	"github.com/ipcwarden/ipcwarden/pkg/detect"
	"github.com/ipcwarden/ipcwarden/pkg/event"
)

// Version is the version of the schema. It changes when a field goes away or
// changes its meaning, not when one is added.
const Version = 1

// Type tells a finding from a gap.
type Type string

// The types. A finding has Signature and Event, a gap has Gap.
const (
	TypeFinding Type = "finding"
	TypeGap     Type = "gap"
)

// Alert is one entry of the alert stream. It owns everything that it refers to,
// and nobody changes it once it is made: sinks may share it and keep it.
// docs/alert.schema.json is generated from it; a field's doc tag is its
// description there.
type Alert struct {
	Version   int             `json:"version" doc:"version of this schema: 1"`
	ID        string          `json:"id" doc:"unique id of the alert; a repeated delivery has the same"`
	Type      Type            `json:"type" doc:"finding, or gap for calls that were lost"`
	Time      time.Time       `json:"time" doc:"time of detection, UTC with nanoseconds"`
	Severity  detect.Severity `json:"severity" doc:"info, low, medium, high or critical"`
	Host      string          `json:"host" doc:"name of the host"`
	Signature *Signature      `json:"signature,omitempty" doc:"finding: the signature that matched"`
	Evidence  map[string]any  `json:"evidence,omitempty" doc:"finding: what the signature wants the reader to see"`
	Event     *event.Document `json:"event,omitempty" doc:"finding: the event that the signature matched"`
	Gap       *Gap            `json:"gap,omitempty" doc:"gap: what was lost"`
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

// Gap is a stretch of time in which calls were lost.
type Gap struct {
	From  time.Time `json:"from" doc:"no call was lost before, since the previous gap"`
	To    time.Time `json:"to" doc:"when the loss was noticed"`
	Count uint64    `json:"count" doc:"number of calls that were lost"`
	Cause string    `json:"cause" doc:"why they were lost"`
	Hook  string    `json:"hook" doc:"way of capture"`
}
