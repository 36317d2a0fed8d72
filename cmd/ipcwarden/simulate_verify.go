package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/ipcwarden/ipcwarden/pkg/alert"
	"github.com/ipcwarden/ipcwarden/pkg/api"
)

// sighting is what an alert tells of a performance: the namespace is its own.
type sighting struct {
	signature    string
	ipcNamespace uint32
}

// sightings are those that the running ipcwarden has told of since it is followed.
type sightings struct {
	mutex  sync.Mutex
	at     map[sighting]time.Time // when it was told first
	missed uint64                 // alerts that came too fast
	err    error                  // why no more can come
	news   chan struct{}          // has something when there are more
}

// enabledIn asks the running ipcwarden for the ids of its signatures.
func enabledIn(ctx context.Context, client *api.Client) (map[string]bool, error) {
	now, err := client.Status(ctx)
	if err != nil {
		return nil, err
	}
	ids := make(map[string]bool, len(now.Signatures))
	for i := range now.Signatures {
		ids[now.Signatures[i].ID] = true
	}
	return ids, nil
}

// follow collects the alerts of the running ipcwarden from now on, until ctx ends.
func follow(ctx context.Context, client *api.Client) (*sightings, error) {
	s := &sightings{at: map[sighting]time.Time{}, news: make(chan struct{}, 1)}
	started := make(chan struct{})
	ended := make(chan error, 1)
	go func() {
		err := client.Follow(ctx, 0, func() { close(started) }, s.take)
		s.end(err)
		ended <- err
	}()
	select {
	case <-started:
		return s, nil
	case err := <-ended:
		return nil, err
	}
}

func (s *sightings) take(e api.Entry) error {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	s.missed += e.Missed
	if namespace, ok := namespaceOf(e.Alert); ok && e.Alert.Signature != nil {
		key := sighting{e.Alert.Signature.ID, namespace}
		if _, known := s.at[key]; !known {
			s.at[key] = time.Now()
		}
	}
	s.tell()
	return nil
}

// namespaceOf is the IPC namespace in which the call was made, or the first of the
// calls, that an alert is about.
func namespaceOf(a *alert.Alert) (inode uint32, ok bool) {
	switch {
	case a == nil:
		return 0, false
	case a.Event != nil:
		return a.Event.IPCNamespace, true
	case a.Correlation != nil && a.Correlation.First != nil:
		return a.Correlation.First.IPCNamespace, true
	}
	return 0, false
}

func (s *sightings) end(err error) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	s.err = err
	s.tell()
}

// tell says that something is new, to whoever waits for it.
func (s *sightings) tell() {
	select {
	case s.news <- struct{}{}:
	default: // it has been said
	}
}

// await waits until all are there that are wanted, or for so long.
func (s *sightings) await(ctx context.Context, wanted []sighting, timeout time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	for {
		s.mutex.Lock()
		missing := slices.ContainsFunc(wanted, func(w sighting) bool { return s.at[w].IsZero() })
		err := s.err
		s.mutex.Unlock()
		switch {
		case !missing:
			return nil
		case err != nil:
			return fmt.Errorf("wait for alerts: %w", err)
		}
		select {
		case <-s.news:
		case <-ctx.Done():
			if errors.Is(ctx.Err(), context.DeadlineExceeded) {
				return nil // what is not there is missing
			}
			return ctx.Err()
		}
	}
}

// judge says of a performance whether it was seen, when, and what else was.
func (s *sightings) judge(p *performed) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	for found, at := range s.at {
		switch {
		case found.ipcNamespace != p.IPCNamespace:
		case found.signature != p.ID:
			p.Also = append(p.Also, found.signature)
		default:
			p.Seen, p.AfterNS = true, at.Sub(p.From).Nanoseconds()
		}
	}
	slices.Sort(p.Also)
}
