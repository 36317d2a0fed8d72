package app

import (
	"context"
	"time"

	"github.com/coreos/go-systemd/v22/daemon"
	"go.uber.org/zap"
)

// notifier tells systemd how ipcwarden is; where it was not started by systemd,
// nobody.
type notifier struct{ log *zap.Logger }

func (n notifier) notify(state string) {
	if _, err := daemon.SdNotify(false, state); err != nil {
		n.log.Warn("systemd not told", zap.String("state", state), zap.Error(err))
	}
}

func (n notifier) ready() { n.notify(daemon.SdNotifyReady) }

func (n notifier) stopping() { n.notify(daemon.SdNotifyStopping) }

// reloading is followed by ready, whether the reload succeeds or not. systemd wants
// to know when it began.
func (n notifier) reloading() {
	n.notify(daemon.SdNotifyReloading + "\n" + daemon.SdNotifyMonotonicUsec())
}

// watchdog tells systemd twice in the time that it waits that events are read, as
// long as they are: it restarts a daemon that does not say so.
func (n notifier) watchdog(ctx context.Context, m *monitor) {
	limit, err := daemon.SdWatchdogEnabled(false)
	if err != nil {
		n.log.Warn("watchdog of systemd not served", zap.Error(err))
	}
	if err != nil || limit == 0 {
		return
	}
	ticker := time.NewTicker(limit / 2)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case now := <-ticker.C:
			if s := m.status(); s.Alive(now) && s.Capture.Attached {
				n.notify(daemon.SdNotifyWatchdog)
			}
		}
	}
}
