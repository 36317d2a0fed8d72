package app

import (
	"fmt"
	"os"

	"go.uber.org/zap"

	"github.com/ipcwarden/ipcwarden/pkg/enrich"
	"github.com/ipcwarden/ipcwarden/pkg/pipeline"
	"github.com/ipcwarden/ipcwarden/pkg/probe"
)

func open(opts probe.Options, log *zap.Logger) (*probe.Probe, error) {
	opts.Log = log
	return probe.Open(opts)
}

// liveSource is the events of this host, with all that is known of who called.
func liveSource(p *probe.Probe) (host string, source pipeline.Source, err error) {
	if host, err = os.Hostname(); err != nil {
		return "", nil, fmt.Errorf("read the host's name: %w", err)
	}
	enricher := enrich.New(host, "/proc")
	p.OnProgram(enricher.Learn)
	return host, pipeline.NewLive(p, enricher.Enrich), nil
}
