package main

import (
	"context"
	"fmt"
	"io/fs"
	"strings"

	"github.com/ipcwarden/ipcwarden/pkg/detect"
	"github.com/ipcwarden/ipcwarden/pkg/pushdown"
	"github.com/ipcwarden/ipcwarden/pkg/regosig"
	"github.com/ipcwarden/ipcwarden/signatures"
)

// inGo lists the signatures of the selection that are written in Go.
func (s *selection) inGo() []detect.Signature {
	if s.noBuiltin {
		return nil
	}
	return signatures.All()
}

func (s *selection) findInGo(id string) detect.Signature {
	for _, signature := range s.inGo() {
		if signature.Metadata().ID == id {
			return signature
		}
	}
	return nil
}

// definition describes a signature, whatever it is written in.
func (s *selection) definition(w *regosig.Workbench, id string) (*regosig.Definition, error) {
	signature := s.findInGo(id)
	if signature == nil {
		return w.Definition(id)
	}
	md := signature.Metadata()
	text, err := fs.ReadFile(signatures.Files, strings.TrimPrefix(md.Source, signatures.Prefix))
	if err != nil {
		return nil, fmt.Errorf("the source of %s: %w", id, err)
	}
	sent := []string{"any call of its events"}
	if source, ok := signature.(pushdown.Source); ok {
		sent = source.Wanted().Words()
	}
	return &regosig.Definition{
		Metadata: md, Contract: "go", Package: "signatures", Verdict: []regosig.Place{},
		Files: []regosig.File{{Name: md.Source, Text: string(text)}}, Filter: []string{"any event"}, Kernel: sent,
	}, nil
}

// explain says whether a signature matches an event, and of one in Rego why.
func (s *selection) explain(ctx context.Context, w *regosig.Workbench, id string, recorded *regosig.Recorded) (*regosig.Explanation, error) {
	signature := s.findInGo(id)
	if signature == nil {
		return w.Explain(ctx, id, recorded)
	}
	e, err := recorded.Event()
	if err != nil {
		return nil, err
	}
	x := &regosig.Explanation{Signature: id, Event: e.ID.String(), File: recorded.File, Line: recorded.Line}
	if selected := signature.Metadata().Events; !selected.Has(e.ID) {
		x.NotSelected = fmt.Sprintf("the signature is for %s, and this is %s", strings.Join(selected.Names(), ", "), e.ID)
		return x, nil
	}
	var in detect.Input
	in.Reset(e)
	found, err := signature.Match(ctx, &in, nil)
	if err != nil {
		return nil, err
	}
	for _, finding := range found {
		x.Findings = append(x.Findings, finding.Explanation())
	}
	x.Matches = len(found) > 0
	return x, nil
}
