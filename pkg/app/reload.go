package app

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime/debug"
	"slices"
	"sync/atomic"
	"time"

	"github.com/fsnotify/fsnotify"
	"go.uber.org/zap"

	"github.com/ipcwarden/ipcwarden/pkg/regosig"
)

const (
	// settleTime is how long files must have been left alone before they are
	// loaded: an editor, or a tool that copies many, takes several steps.
	settleTime = 500 * time.Millisecond

	// settleLimit is when they are loaded even if they are never left alone.
	settleLimit = 5 * time.Second
)

// reloader loads the signatures again when somebody asks for it, and when their
// files have changed. It works beside the events; whoever evaluates takes its
// result between two of them.
type reloader struct {
	opts   SignatureOptions
	hangup <-chan os.Signal // asks for a reload each time that it yields
	load   func() (*loaded, error)
	log    *zap.Logger
	settle time.Duration

	next atomic.Pointer[loaded] // loaded, and not taken yet

	watch *sourceWatch // nil if there is nothing to watch, or no way to
	tried string       // fingerprint of the files of the last attempt
}

// newReloader watches from now on: what changes after the first load is seen.
func newReloader(opts SignatureOptions, hangup <-chan os.Signal, log *zap.Logger) *reloader {
	r := &reloader{opts: opts, hangup: hangup, log: log, settle: settleTime}
	r.load = func() (*loaded, error) { return loadSignatures(opts, log) }
	r.look()
	return r
}

// take returns a new set once.
func (r *reloader) take() *loaded {
	if r.next.Load() == nil {
		return nil
	}
	return r.next.Swap(nil)
}

// look watches the files as they lie now, and returns whether any has changed
// since the last look.
func (r *reloader) look() (changed bool) {
	if !r.opts.reloadable() {
		return false
	}
	paths := r.opts.Signatures
	if r.opts.BundleKey != "" {
		paths = append(slices.Clone(paths), r.opts.BundleKey)
	}
	watch, err := watchSources(paths)
	if err != nil {
		r.log.Warn("changes of signatures are not noticed, only SIGHUP reloads them", zap.Error(err))
	}
	if r.watch != nil {
		_ = r.watch.Close() // it has nothing to flush
	}
	r.watch = watch
	var found string
	if sources, err := r.opts.sources(); err == nil {
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
		case <-r.hangup:
			settled = nil
			r.look()
			r.reload("SIGHUP")
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
			if r.look() {
				r.reload("files changed")
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

// reload loads the signatures. An error leaves those that are in use.
func (r *reloader) reload(why string) {
	set, err := r.loadFenced()
	if err != nil {
		r.log.Error("signatures not reloaded, those from before stay in use",
			zap.String("why", why), zap.Strings("problems", problems(err)))
		return
	}
	r.next.Store(set)
}

// loadFenced turns a panic into an error: no file may take the daemon down.
func (r *reloader) loadFenced() (set *loaded, err error) {
	defer func() {
		if p := recover(); p != nil {
			r.log.Error("loading signatures panicked", zap.Any("panic", p), zap.ByteString("stack", debug.Stack()))
			set, err = nil, fmt.Errorf("loading signatures: %v", p)
		}
	}()
	return r.load()
}

// problems has file:line:col: reason where they are known.
func problems(err error) []string {
	var load *regosig.LoadError
	if !errors.As(err, &load) {
		return []string{err.Error()}
	}
	list := make([]string, len(load.Problems))
	for i, problem := range load.Problems {
		list[i] = problem.String()
	}
	return list
}
