package sink

import (
	"embed"
	"path"
	"time"

	"github.com/ipcwarden/ipcwarden/pkg/alert"
	"github.com/ipcwarden/ipcwarden/pkg/detect"
	"github.com/ipcwarden/ipcwarden/pkg/event"
)

//go:embed templates/*.tmpl
var readyFiles embed.FS

// ready is what receivers that many have expect: a template, and how it is sent.
type ready struct {
	contentType string
	batchType   string // content type of several in an array; "" if there can be but one
	alwaysArray bool
	needsKey    bool // the receiver is told apart by Webhook.RoutingKey
}

var readyTemplates = map[string]ready{
	"slack":        {contentType: contentJSON},
	"teams":        {contentType: contentJSON},
	"pagerduty":    {contentType: contentJSON, needsKey: true},
	"alertmanager": {contentType: contentJSON, batchType: contentJSON, alwaysArray: true},
	"cloudevents":  {contentType: "application/cloudevents+json", batchType: "application/cloudevents-batch+json"},
}

func readyTemplate(name string) (string, error) {
	text, err := readyFiles.ReadFile(path.Join("templates", name+".tmpl"))
	return string(text), err
}

// samples has an alert of each type, and a correlated and a repeated one.
func samples() (list []*alert.Alert) {
	f := alert.Factory{Host: "host"}
	e := event.Event{ID: event.Msgsnd}
	e.Object.Kind = event.MessageQueue
	var doc event.Document
	e.Document(&doc)
	md := &detect.Metadata{ID: "SAMPLE", Title: "Sample", Severity: detect.High}
	single := f.FromFinding(md, detect.Finding{}, &doc)
	at := time.Unix(0, 0)
	return []*alert.Alert{
		single,
		f.FromFinding(md, detect.Finding{Evidence: map[string]any{"n": 1}, Correlated: &detect.Correlated{
			Type: detect.EventCount, Group: map[string]any{"userId": 1}, Count: 2, From: at, To: at,
		}}, nil),
		f.FromRepeated(single, alert.Repeated{Count: 2, First: at, Last: at}),
		f.FromGap(alert.Gap{From: at, To: at, Count: 1, Cause: "cause", Hook: "hook"}),
		f.FromSuspension(md, alert.Suspension{From: at, To: at, Overruns: 3, BudgetNS: 1}, &doc),
		f.FromSuppressed(single.Signature, detect.High, alert.Suppressed{Count: 1, Limit: 1, From: at, To: at}),
		f.FromDelivery(alert.Delivery{Sink: "sink", State: alert.DeliveryFailing, Problem: "problem", From: at, To: at}),
	}
}
