// Package sink hands alerts to what keeps or shows them: stdout, a file, syslog, a
// webhook. A sink tries once and says what came of it; queues, order and further tries
// are those of package deliver.
//
// Whatever a watched process puts into its names, it cannot forge an alert, a line, a
// header or a part of a message: docs/delivery.md says what is escaped where.
package sink

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/ipcwarden/ipcwarden/pkg/detect"
	"github.com/ipcwarden/ipcwarden/pkg/setting"
)

// Sink takes alerts. It is for one goroutine.
type Sink interface {
	// Deliver hands entries over, in their order, and returns nil when they are where
	// they are meant to be. On an error none may be, or all: they are to be delivered
	// again, unless the error is a *Rejected. It returns soon after ctx has ended; only
	// stdout may block for as long as its reader does.
	Deliver(ctx context.Context, entries []*Entry) error
	// Batch is how many entries Deliver takes at a time, at most.
	Batch() int
	// Close ends connections. Nothing is delivered afterwards.
	Close() error
}

// Rejected means that the receiver will not take the entries, however often they are
// delivered.
type Rejected struct{ Reason error }

func (r *Rejected) Error() string { return r.Reason.Error() }

// Unwrap returns the reason.
func (r *Rejected) Unwrap() error { return r.Reason }

// Later means that the receiver asks not to be tried again before some time has passed.
type Later struct {
	Reason error
	After  time.Duration
}

func (l *Later) Error() string { return l.Reason.Error() }

// Unwrap returns the reason.
func (l *Later) Unwrap() error { return l.Reason }

// The kinds of sinks.
const (
	KindStdout  = "stdout"
	KindFile    = "file"
	KindSyslog  = "syslog"
	KindWebhook = "webhook"
)

// Settings are those of one sink.
type Settings struct {
	Kind        string          `yaml:"kind" enum:"stdout,file,syslog,webhook" example:"webhook" doc:"what the sink is"`
	MinSeverity detect.Severity `yaml:"min_severity" enum:"info,low,medium,high,critical" doc:"least severity of the alerts that the sink gets"`
	Format      string          `yaml:"format" enum:"json,table,template,slack,teams,pagerduty,alertmanager,cloudevents" doc:"form of an alert: json; table, a line for people (not for webhook); template, that of the setting template; slack, teams, pagerduty, alertmanager, cloudevents (for webhook only)"`
	Template    string          `yaml:"template" doc:"Go template of an alert, for format template"`
	File        File            `yaml:"file" doc:"for kind file"`
	Syslog      Syslog          `yaml:"syslog" doc:"for kind syslog"`
	Webhook     Webhook         `yaml:"webhook" doc:"for kind webhook"`
}

// SetDefaults gives each setting the value that it has if nothing else is said.
func (s *Settings) SetDefaults() {
	s.Format = FormatJSON
	s.File.setDefaults()
	s.Syslog.setDefaults()
	s.Webhook.setDefaults()
}

// Validate tells what is wrong with the settings, all of it. It opens no file and no
// connection.
func (s *Settings) Validate() error {
	var errs []error
	switch s.Kind {
	case KindStdout:
	case KindFile:
		errs = append(errs, setting.Under("file", s.File.check()))
	case KindSyslog:
		errs = append(errs, setting.Under("syslog", s.Syslog.check()))
	case KindWebhook:
		errs = append(errs, setting.Under("webhook", s.Webhook.check(s.Format)))
	default:
		errs = append(errs, setting.Under("kind", fmt.Errorf("%q is none of stdout, file, syslog, webhook", s.Kind)))
	}
	return errors.Join(append(errs, s.checkFormat())...)
}

// Environment is what sinks have in common.
type Environment struct {
	Stdout  io.Writer
	Color   bool   // colour alerts of format table on stdout
	Version string // of ipcwarden
	Host    string // name of this host
}

// New makes a sink. It connects to nothing before the first delivery.
func New(s Settings, env Environment) (Sink, error) {
	if err := s.Validate(); err != nil {
		return nil, err
	}
	switch s.Kind {
	case KindFile:
		return newFile(&s)
	case KindSyslog:
		return newSyslog(&s, env)
	case KindWebhook:
		return newWebhook(&s, env)
	default:
		return newStdout(&s, env)
	}
}
