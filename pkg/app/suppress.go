package app

import (
	"slices"
	"time"

	"go.uber.org/zap"

	"github.com/ipcwarden/ipcwarden/pkg/detect"
	"github.com/ipcwarden/ipcwarden/pkg/status"
	"github.com/ipcwarden/ipcwarden/pkg/suppress"
	"github.com/ipcwarden/ipcwarden/pkg/throttle"
)

// logSuppressions says what will give no alert, what does again, and which entries are
// for none of the signatures.
func logSuppressions(log *zap.Logger, list *suppress.List, signatures []*detect.Metadata) {
	if list == nil {
		return
	}
	ids := make([]string, len(signatures))
	for i, md := range signatures {
		ids[i] = md.ID
	}
	for _, s := range list.States(time.Now()) {
		fields := []zap.Field{zap.Stringer("entry", &s.Entry), zap.String("reason", s.Reason)}
		if !s.Expires.IsZero() {
			fields = append(fields, zap.Time("expires", s.Expires.Time()))
		}
		if s.Expired {
			log.Warn("entry of suppress has expired: its findings give alerts", fields...)
			continue
		}
		if !slices.ContainsFunc(ids, s.Covers) {
			log.Warn("entry of suppress is for no signature that is used", fields...)
			continue
		}
		log.Info("findings are suppressed", fields...)
	}
}

// logSuppressed says how many findings had no alert.
func logSuppressed(log *zap.Logger, list *suppress.List) {
	if list == nil {
		return
	}
	for _, s := range list.States(time.Now()) {
		fields := []zap.Field{zap.Stringer("entry", &s.Entry), zap.Uint64("count", s.Count)}
		if s.Count > 0 {
			fields = append(fields, zap.Time("last", s.Last))
		}
		log.Info("findings were suppressed", fields...)
	}
}

// suppressionsOf are the entries of a list, nil for none.
func suppressionsOf(list *suppress.List, now time.Time) []status.Suppression {
	all := []status.Suppression{}
	if list == nil {
		return all
	}
	for _, s := range list.States(now) {
		all = append(all, status.Suppression{
			Entry: s.String(), Reason: s.Reason, Count: s.Count, Last: s.Last, Expires: s.Expires.Time(), Expired: s.Expired,
		})
	}
	return all
}

func logThrottled(log *zap.Logger, t *throttle.Throttle) {
	if c := t.Counters(); c.Repeated+c.Suppressed > 0 {
		log.Info("findings were throttled", zap.Uint64("passed", c.Passed), zap.Uint64("repeated", c.Repeated),
			zap.Uint64("suppressed", c.Suppressed), zap.Uint64("evicted", c.Evicted))
	}
}
