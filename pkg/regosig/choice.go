package regosig

import (
	"errors"
	"fmt"
	"slices"

	"github.com/ipcwarden/ipcwarden/pkg/detect"
	"github.com/ipcwarden/ipcwarden/pkg/nearest"
)

// Choice says which signatures are in use where that differs from what they say of
// themselves. The zero Choice leaves it at that.
type Choice struct {
	Enable  []string // ids of those that are off unless somebody asks for them
	Disable []string // ids of those to do without
}

// Of returns the signatures that are in use, in their order. An id that none of all
// has, or that is in both lists, is an error.
func (c Choice) Of(all []detect.Signature) ([]detect.Signature, error) {
	ids := make([]string, len(all))
	for i, s := range all {
		ids[i] = s.Metadata().ID
	}
	err := errors.Join(checkIDs("enable", c.Enable, ids), checkIDs("disable", c.Disable, ids))
	for _, id := range c.Enable {
		if slices.Contains(c.Disable, id) {
			err = errors.Join(err, fmt.Errorf("signature %s is to be enabled and disabled: leave out one of the two", id))
		}
	}
	if err != nil {
		return nil, err
	}
	var used []detect.Signature
	for _, s := range all {
		id := s.Metadata().ID
		if slices.Contains(c.Enable, id) || !s.Metadata().Off && !slices.Contains(c.Disable, id) {
			used = append(used, s)
		}
	}
	return used, nil
}

func checkIDs(what string, chosen, ids []string) (err error) {
	for _, id := range chosen {
		if !slices.Contains(ids, id) {
			err = errors.Join(err, fmt.Errorf("%s %q: there is no such signature; the nearest is %s", what, id, nearest.Name(id, ids)))
		}
	}
	return err
}
