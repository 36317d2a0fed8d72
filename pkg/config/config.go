// Package config is the configuration of ipcwarden run: its type, and how it is
// put together from files, the environment and flags.
//
// The type says everything about a setting in tags, of which the default file,
// the JSON Schema, the names of environment variables and the assignment of flags
// are made:
//
//	yaml    its key
//	doc     what it is for, with its unit, for whoever writes the file
//	enum    the values that it may have, separated by commas; without it any
//	flag    the flag of run that sets it; one that begins with ! sets the opposite
//	live    "yes" if a change takes effect when the configuration is reloaded;
//	        other changes need a restart
//	adds    "yes" if the lists of several files add up, instead of the last replacing
//	        those before
//	example a value for the default file where the default is empty
//
// A setting is a bool, a string, a number, or a type that is an
// encoding.TextUnmarshaler, as those of package setting; a list of settings; a
// struct of settings; or a map of settings by names that the operator chooses. A
// struct in a map or list that has a method SetDefaults() starts with what that
// sets. A type with a method Validate() error is asked when everything has been
// read; it names what is wrong by setting.Under.
package config

import (
	"cmp"
	"errors"
	"fmt"
	"net"
	"path/filepath"
	"strings"

	"github.com/ipcwarden/ipcwarden/pkg/correlate"
	"github.com/ipcwarden/ipcwarden/pkg/deliver"
	"github.com/ipcwarden/ipcwarden/pkg/setting"
	"github.com/ipcwarden/ipcwarden/pkg/sink"
	"github.com/ipcwarden/ipcwarden/pkg/spool"
	"github.com/ipcwarden/ipcwarden/pkg/suppress"
	"github.com/ipcwarden/ipcwarden/pkg/throttle"
)

// Config is the configuration. Default is what it is without any file.
type Config struct {
	Signatures Signatures     `yaml:"signatures" doc:"what is looked for"`
	Capture    Capture        `yaml:"capture" doc:"how calls are captured"`
	Output     string         `yaml:"output" enum:"json,table" flag:"output" doc:"format of alerts on stdout, where they go unless there are sinks: one JSON object a line, or for people"`
	Webhook    setting.Secret `yaml:"webhook" flag:"webhook" example:"file:/etc/ipcwarden/webhook-url" doc:"address that each alert is posted to as JSON, beside the sinks; since it may be a secret, better file:PATH or env:NAME than the address itself"`
	Record     string         `yaml:"record" flag:"record" example:"/var/lib/ipcwarden/calls.ipcwcap" doc:"file to record the judged events to, for ipcwarden replay; it must not exist; empty for none"`

	Correlation Correlation `yaml:"correlation" doc:"what signatures about many events remember"`

	Suppress    []suppress.Entry         `yaml:"suppress" live:"yes" adds:"yes" doc:"findings that are known to be benign, and give no alert; the log lists the entries, and how many findings each has left out; those of several files add up"`
	Throttle    throttle.Settings        `yaml:"throttle" doc:"what is done about many findings"`
	Sinks       map[string]sink.Settings `yaml:"sinks" doc:"where alerts go, by names of your own; stdout, if there are none"`
	Retry       deliver.Retry            `yaml:"retry" doc:"what is done about a sink that fails"`
	Spool       spool.Settings           `yaml:"spool" doc:"alerts on disk, so that none is lost that is not delivered yet"`
	DeadLetters string                   `yaml:"dead_letters" example:"/var/lib/ipcwarden/dead-letters.json" doc:"file that gets, with the reason, alerts that a sink will never take; without it the log has the reason"`

	Log     Log     `yaml:"log" doc:"log on stderr"`
	Metrics Metrics `yaml:"metrics" doc:"metrics and health by HTTP: /metrics, /healthz and /readyz"`
	API     API     `yaml:"api" doc:"local socket that ipcwarden status and ipcwarden alerts ask; it also answers /metrics, /healthz and /readyz"`
}

// Signatures is which signatures there are.
type Signatures struct {
	Paths     []string `yaml:"paths" live:"yes" flag:"signatures" example:"[/etc/ipcwarden/signatures]" doc:"directories, files and OPA bundles (.tar.gz) with signatures, beside the built-in ones"`
	Builtin   bool     `yaml:"builtin" live:"yes" flag:"!no-builtin" doc:"use the built-in signatures"`
	Enable    []string `yaml:"enable" live:"yes" flag:"enable" example:"[IPCW-033]" doc:"ids of signatures to use although they are off by default"`
	Disable   []string `yaml:"disable" live:"yes" flag:"disable" example:"[IPCW-014]" doc:"ids of signatures to do without"`
	BundleKey string   `yaml:"bundle_key" live:"yes" flag:"bundle-key" example:"/etc/ipcwarden/bundle.pem" doc:"file with the public key, or the secret of an HMAC, that every bundle must be signed for; without it bundles are loaded unverified, with a warning of those that are signed"`
}

// Capture is how calls are captured.
type Capture struct {
	Hook          string `yaml:"hook" enum:"auto,fentry,kprobe,tracepoint" flag:"hook" doc:"where to attach; auto takes the first that attaches completely"`
	SnapshotBytes int    `yaml:"snapshot_bytes" flag:"snapshot-bytes" doc:"bytes of a message's text to capture, 0 to 3064; of what is longer there is a digest"`
	DigestBytes   int    `yaml:"digest_bytes" flag:"digest-bytes" doc:"bytes of a longer text to capture a digest of, 0 to 4048"`
	MaxActive     int    `yaml:"max_active" flag:"maxactive" doc:"calls at a time that hook kprobe can follow at each kernel function, at most 4096; 0 goes by the CPUs"`
	Pushdown      bool   `yaml:"pushdown" flag:"!no-pushdown" doc:"have the kernel send only calls that a signature can match"`
}

// Bounds of Capture, which are those of package probe.
const (
	MaxSnapshotBytes = 3064
	MaxDigestBytes   = 4048
	MaxMaxActive     = 4096
)

// Correlation bounds the memory of signatures about many events.
type Correlation struct {
	Groups     int           `yaml:"groups" doc:"number of groups of one signature that are kept, 1 to 16777216; with more the one that was matched least recently goes, and is counted"`
	MaxBytes   setting.Bytes `yaml:"max_bytes" doc:"memory for the groups of all signatures, from 8MiB on; beyond it the same happens"`
	EventBytes setting.Bytes `yaml:"event_bytes" doc:"memory for the events that alerts will show, from 1MiB on; beyond it new ones push out the oldest"`
}

func defaultCorrelation() Correlation {
	limits := correlate.DefaultLimits
	return Correlation{Groups: limits.Groups, MaxBytes: setting.Bytes(limits.Bytes), EventBytes: setting.Bytes(limits.RecallBytes)}
}

// Limits is c in the terms of package correlate.
func (c *Correlation) Limits() correlate.Limits {
	return correlate.Limits{Groups: c.Groups, Bytes: int(c.MaxBytes), RecallBytes: int(c.EventBytes)}
}

// Validate refuses bounds in which there is no room for the largest group, or event.
func (c *Correlation) Validate() error {
	return errors.Join(
		within("groups", c.Groups, 1, 1<<24),
		within("max_bytes", c.MaxBytes, 8<<20, 1<<40),
		within("event_bytes", c.EventBytes, 1<<20, 1<<40),
	)
}

// Log is what is logged.
type Log struct {
	Level string `yaml:"level" live:"yes" enum:"debug,info,warn,error" flag:"log-level" doc:"least severe level to log"`
}

// Metrics is where metrics and health can be asked for.
type Metrics struct {
	// Listen is empty by default: every user of the host can connect to a port, and
	// the metrics tell an attacker whether a signature has matched.
	Listen string `yaml:"listen" flag:"metrics" example:"127.0.0.1:9478" doc:"address to listen at, HOST:PORT or unix:PATH; empty for none. Any user of the host can ask a port, and see there which signatures match"`
	Pprof  bool   `yaml:"pprof" flag:"pprof" doc:"also answer /debug/pprof/, at a loopback address or a Unix socket only"`
}

// API is the local socket.
type API struct {
	Socket string `yaml:"socket" flag:"api" doc:"path of the Unix socket, which only the user that ipcwarden runs as can open; empty for none"`
	Alerts int    `yaml:"alerts" doc:"number of last alerts to keep for ipcwarden alerts, 1 to 100000"`
}

// DefaultSocket is where ipcwarden run listens, and where its clients look.
const DefaultSocket = "/run/ipcwarden/api.sock"

// Default is the configuration without any file, variable or flag.
func Default() *Config {
	return &Config{
		Signatures:  Signatures{Paths: []string{}, Builtin: true, Enable: []string{}, Disable: []string{}},
		Capture:     Capture{Hook: "auto", SnapshotBytes: 64, DigestBytes: MaxDigestBytes, Pushdown: true},
		Output:      "json",
		Log:         Log{Level: "info"},
		API:         API{Socket: DefaultSocket, Alerts: 1000},
		Correlation: defaultCorrelation(),
		Suppress:    []suppress.Entry{},
		Throttle:    throttle.Default(),
		Sinks:       map[string]sink.Settings{},
		Retry:       deliver.DefaultRetry(),
		Spool:       spool.Default(),
	}
}

// Validate names what cannot be, beyond what the types exclude.
func (c *Config) Validate() error {
	var dead error
	if c.DeadLetters != "" && !filepath.IsAbs(c.DeadLetters) {
		dead = setting.Under("dead_letters", fmt.Errorf("%q is no absolute path", c.DeadLetters))
	}
	return errors.Join(setting.Under("webhook", setting.CheckURL(c.Webhook.Reveal(), "http", "https")), dead)
}

// Validate refuses a set without any signature.
func (s *Signatures) Validate() error {
	if !s.Builtin && len(s.Paths) == 0 {
		return setting.Under("builtin", errors.New("without the built-in signatures, paths must name others"))
	}
	return nil
}

// Validate refuses what package probe would.
func (c *Capture) Validate() error {
	return errors.Join(
		within("snapshot_bytes", c.SnapshotBytes, 0, MaxSnapshotBytes),
		within("digest_bytes", c.DigestBytes, 0, MaxDigestBytes),
		within("max_active", c.MaxActive, 0, MaxMaxActive),
	)
}

func within[T int | setting.Bytes](key string, value, least, most T) error {
	if value < least || value > most {
		return setting.Under(key, fmt.Errorf("%v is not in %v to %v", value, least, most))
	}
	return nil
}

// Validate refuses an address that is none, and profiles that others can ask for.
func (m *Metrics) Validate() error {
	network, address := m.Address()
	switch {
	case network == "":
		return nil
	case network == "unix":
		if address == "" {
			return setting.Under("listen", errors.New("unix: lacks a path"))
		}
		return nil
	}
	host, port, err := net.SplitHostPort(address)
	if err == nil && port == "" {
		err = errors.New("there is no port")
	}
	if err != nil {
		return setting.Under("listen", fmt.Errorf("%q is neither HOST:PORT nor unix:PATH: %w", address, err))
	}
	if m.Pprof && !loopback(host) {
		return setting.Under("pprof", fmt.Errorf("profiles show memory: listen at a loopback address or a Unix socket, not at %q", m.Listen))
	}
	return nil
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// Address is where to listen, in the terms of package net; network is empty for
// nowhere.
func (m *Metrics) Address() (network, address string) {
	if path, ok := strings.CutPrefix(m.Listen, "unix:"); ok {
		return "unix", path
	}
	if m.Listen == "" {
		return "", ""
	}
	return "tcp", m.Listen
}

// maxSocketPath is what fits into sun_path of struct sockaddr_un, with its end.
const maxSocketPath = 107

// Validate refuses a path that no socket can have, and a number of alerts that is
// none or too much to keep in memory.
func (a *API) Validate() error {
	var long error
	if len(a.Socket) > maxSocketPath {
		long = setting.Under("socket", fmt.Errorf("a socket's path has at most %d bytes, not %d", maxSocketPath, len(a.Socket)))
	}
	return cmp.Or(long, within("alerts", a.Alerts, 1, 100_000))
}
