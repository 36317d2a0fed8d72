package app

import (
	"go.uber.org/zap"
	"golang.org/x/sys/unix"

	"github.com/ipcwarden/ipcwarden/pkg/correlate"
	"github.com/ipcwarden/ipcwarden/pkg/pipeline"
	"github.com/ipcwarden/ipcwarden/pkg/privilege"
	"github.com/ipcwarden/ipcwarden/pkg/probe"
)

// neededCapabilities are what watching takes once the programs are attached. CAP_BPF:
// before Linux 5.19 every look into a map (kernel/bpf/syscall.c), and the new map of a
// reload on any.
var neededCapabilities = []int{unix.CAP_BPF}

// settle comes when all is open that takes privileges: it gives them up, and says that
// the probe watches, by which hook and why, and what it does without.
func settle(log *zap.Logger, p *probe.Probe, fields ...zap.Field) {
	a := p.Attachment()
	for _, call := range a.FellBack {
		log.Warn("call watched by tracepoints", zap.String("hook", string(a.Hook)), zap.String("call", call))
	}
	for _, reason := range a.Uncopied {
		log.Info("kernel copy not watched", zap.String("reason", reason))
	}
	kept, err := privilege.Keep(neededCapabilities...)
	if err != nil {
		log.Error("privileges not given up", zap.Error(err))
	}
	log.Info("watching", append([]zap.Field{
		zap.String("hook", string(a.Hook)), zap.String("why", a.Why()), zap.String("kernelCopy", string(a.Copy)),
		zap.Strings("capabilities", kept),
	}, fields...)...)
}

// logCounts says at the end what became of every call: entered = emitted +
// filtered + unmatched + aggregated + dropped + inflight. Repeated is those of aggregated
// that events have told of.
func logCounts(log *zap.Logger, p *probe.Probe, fields ...zap.Field) {
	counts, err := p.Counts()
	if err != nil {
		log.Error("counters not read", zap.Error(err))
		return
	}
	log.Info("stopped", append(fields,
		zap.Uint64("entered", counts.Entered), zap.Uint64("emitted", counts.Emitted),
		zap.Uint64("filtered", counts.Filtered), zap.Uint64("unmatched", counts.Unmatched),
		zap.Uint64("aggregated", counts.Aggregated), zap.Uint64("repeated", counts.Repeated), zap.Any("dropped", counts.Lost),
		zap.Uint64("inflight", counts.InFlight), zap.Uint64("cut", counts.Cut))...)
}

// logCorrelations says what became of the matches of each signature that correlates.
func logCorrelations(log *zap.Logger, c *correlate.Correlator) {
	for _, s := range c.Counters() {
		if s.Matches > 0 {
			log.Info("correlated", zap.String("signature", s.ID), zap.Uint64("matches", s.Matches), zap.Uint64("found", s.Found),
				zap.Uint64("late", s.Late), zap.Uint64("evicted", s.Evicted), zap.Int("groups", s.Groups), zap.Int("bytes", s.Bytes))
		}
	}
	if n := c.Forgotten(); n > 0 {
		log.Info("events that alerts could have shown made room for others", zap.Uint64("count", n))
	}
}

func logGap(log *zap.Logger, g pipeline.Gap) {
	if g.Muted.Signature != "" {
		log.Info("calls were only counted", zap.Uint64("count", g.Count), zap.String("signature", g.Muted.Signature),
			zap.Uint32("process", g.Muted.HostPID), zap.Stringer("event", g.Muted.Event), zap.Time("from", g.From), zap.Time("to", g.To))
		return
	}
	log.Warn("calls were lost", zap.Uint64("count", g.Count), zap.String("cause", g.Cause), zap.String("hook", g.Hook),
		zap.Time("from", g.From), zap.Time("to", g.To))
}
