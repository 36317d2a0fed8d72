package engine

import (
	"time"

	"go.uber.org/zap"
)

// logInterval is the time in which a signature logs at most one failure: one
// that fails on every event must not fill the disk.
const logInterval = time.Minute

// limitedLog logs the failures of one signature.
type limitedLog struct {
	log        *zap.Logger
	now        func() time.Time
	next       time.Time // when the next failure is logged
	suppressed uint64    // failures since the last that was
}

func newLimitedLog(log *zap.Logger, id string) *limitedLog {
	return &limitedLog{log: log.With(zap.String("signature", id)), now: time.Now}
}

// error logs a failure, with the number of those that were not logged before.
func (l *limitedLog) error(message string, fields ...zap.Field) {
	now := l.now()
	if now.Before(l.next) {
		l.suppressed++
		return
	}
	l.log.Error(message, append(fields, zap.Uint64("suppressed", l.suppressed))...)
	l.next, l.suppressed = now.Add(logInterval), 0
}
