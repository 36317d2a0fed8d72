package app

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/fsnotify/fsnotify"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/ipcwarden/ipcwarden/pkg/config"
	"github.com/ipcwarden/ipcwarden/pkg/regosig"
	"github.com/ipcwarden/ipcwarden/pkg/status"
)

const (
	// settleTime is how long files must have been left alone before they are
	// loaded: an editor, or a tool that copies many, takes several steps.
	settleTime = 500 * time.Millisecond

	// settleLimit is when they are loaded even if they are never left alone.
	settleLimit = 5 * time.Second
)

// reloader loads configuration and signatures again when somebody asks for it, and
// signatures when their files have changed. It works beside the events; whoever
// evaluates takes its result between two of them.
type reloader struct {
	opts   RunOptions
	config *config.Loaded // the last that was accepted
	load   func(*config.Loaded) (*loaded, error)
	log    *zap.Logger
	settle time.Duration

	next    atomic.Pointer[loaded] // loaded, and not taken yet
	status  reloadStatus
	systemd notifier

	watch *sourceWatch // nil if there is nothing to watch, or no way to
	tried string       // fingerprint of the files of the last attempt
}

// newReloader watches from now on: what changes after the first load is seen.
func newReloader(opts RunOptions, log *zap.Logger) *reloader {
	r := &reloader{opts: opts, config: opts.Config, log: log, settle: settleTime, systemd: notifier{log}}
	r.load = func(c *config.Loaded) (*loaded, error) { return loadFor(c, log) }
	r.status.succeeded()
	r.look(r.config)
	return r
}

// take returns a new set once.
func (r *reloader) take() *loaded {
	if r.next.Load() == nil {
		return nil
	}
	return r.next.Swap(nil)
}

// taken tells that a set is in use, and makes those changes of its configuration
// that need no restart.
func (r *reloader) taken(set *loaded, fields ...zap.Field) {
	if _, restart := r.opts.Config.Changes(set.config); len(restart) > 0 {
		r.log.Warn("changes that need a restart", zap.Strings("keys", restart))
	}
	if level, err := zapcore.ParseLevel(set.config.Log.Level); err == nil && r.opts.LogLevel != (zap.AtomicLevel{}) {
		r.opts.LogLevel.SetLevel(level)
	}
	r.status.succeeded()
	r.systemd.ready()
	r.log.Info("signatures reloaded", fields...)
}

// failed tells that what was there before stays in use.
func (r *reloader) failed(why string, err error) {
	lines := problems(err)
	r.status.failed(lines)
	r.systemd.ready() // as before
	r.log.Error("not reloaded, configuration and signatures from before stay in use",
		zap.String("why", why), zap.Strings("problems", lines))
}

// look watches the files of c as they lie now, and returns whether any has changed
// since the last look.
func (r *reloader) look(c *config.Loaded) (changed bool) {
	opts := signatureOptions(c)
	paths := opts.Signatures
	if opts.BundleKey != "" {
		paths = append(slices.Clone(paths), opts.BundleKey)
	}
	if r.watch != nil {
		_ = r.watch.Close() // it has nothing to flush
		r.watch = nil
	}
	if len(paths) > 0 {
		var err error
		if r.watch, err = watchSources(paths); err != nil {
			r.log.Warn("changes of signatures are not noticed, only SIGHUP reloads them", zap.Error(err))
		}
	}
	var found string
	if sources, err := opts.sources(); err == nil {
		found = regosig.Fingerprint(sources...)
	} else {
		found = err.Error()
	}
	changed = found != r.tried
	r.tried = found
	return changed
}

// run ends with ctx. A set that is being loaded then is given up: the process
// must not wait for it.
func (r *reloader) run(ctx context.Context) {
	defer func() {
		if r.watch != nil {
			_ = r.watch.Close()
		}
	}()
	var (
		settled <-chan time.Time
		first   time.Time // of the changes that are not loaded
	)
	change := func() {
		now := time.Now()
		if settled == nil {
			first = now
		}
		settled = time.After(min(r.settle, first.Add(settleLimit).Sub(now)))
	}
	for {
		events, errs := r.channels()
		select {
		case <-ctx.Done():
			return
		case <-r.opts.Hangup:
			settled = nil
			r.systemd.reloading()
			r.reload("SIGHUP", r.opts.Reread)
		case e := <-events:
			if r.watch.matters(e) {
				change()
			}
		case err := <-errs:
			// Events may be missing.
			r.log.Warn("watch signatures for changes", zap.Error(err))
			change()
		case <-settled:
			settled = nil
			if r.look(r.config) {
				r.reload("files changed", nil)
			}
		}
	}
}

func (r *reloader) channels() (<-chan fsnotify.Event, <-chan error) {
	if r.watch == nil {
		return nil, nil
	}
	return r.watch.Events, r.watch.Errors
}

// reload loads the signatures, and before that the configuration if there is reread.
// An error leaves what is in use.
func (r *reloader) reload(why string, reread func() (*config.Loaded, error)) {
	next := r.config
	if reread != nil {
		var err error
		if next, err = reread(); err != nil {
			r.failed(why, err)
			return
		}
		r.look(next) // before the files are read
	}
	set, err := r.loadFenced(next)
	if err != nil {
		r.failed(why, err)
		r.look(r.config)
		return
	}
	r.config = next
	r.next.Store(set)
}

// loadFenced turns a panic into an error: no file may take the daemon down.
func (r *reloader) loadFenced(c *config.Loaded) (set *loaded, err error) {
	defer func() {
		if p := recover(); p != nil {
			r.log.Error("loading signatures panicked", zap.Any("panic", p), zap.ByteString("stack", debug.Stack()))
			set, err = nil, fmt.Errorf("loading signatures: %v", p)
		}
	}()
	return r.load(c)
}

// problems has file:line:col: reason where they are known.
func problems(err error) []string {
	var (
		load  *regosig.LoadError
		wrong *config.Error
	)
	switch {
	case errors.As(err, &wrong):
		return wrong.Lines()
	case !errors.As(err, &load):
		return []string{err.Error()}
	}
	list := make([]string, len(load.Problems))
	for i, problem := range load.Problems {
		list[i] = problem.String()
	}
	return list
}

// reloadStatus is what became of reloads. It is safe for concurrent use.
type reloadStatus struct {
	mu    sync.Mutex
	value status.Reload
}

func (s *reloadStatus) succeeded() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.value.Successes++
	s.value.Loaded, s.value.Problems = time.Now(), []string{}
}

func (s *reloadStatus) failed(problems []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.value.Failures++
	s.value.Problems = problems
}

func (s *reloadStatus) get() status.Reload {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.value
}
