// Package prefilter derives from a signature's Rego what has to be true of an event
// for the signature to match, as a filter of package sieve: most events are then
// rejected before a document is made of them.
//
// The condition is necessary and not sufficient. It comes from OPA's partial
// evaluation with the input unknown, which leaves alternatives, each of expressions
// on the input that must all hold. Those that this package understands are kept;
// the others count as true.
package prefilter

import (
	"context"
	"fmt"
	"time"

	"github.com/open-policy-agent/opa/v1/ast"
	oparego "github.com/open-policy-agent/opa/v1/rego"

	"github.com/ipcwarden/ipcwarden/pkg/event"
	"github.com/ipcwarden/ipcwarden/pkg/sieve"
)

const (
	// maxAlternatives bounds what is kept of a signature. One that has more is not
	// filtered.
	maxAlternatives = 64

	// deriveTimeout bounds the partial evaluation of one signature.
	deriveTimeout = 2 * time.Second
)

// Filter is what has to be true of an event for a signature to match. A nil Filter
// lets every event pass. It is safe for use by several goroutines.
type Filter struct {
	alternatives []alternative
	sieve        *sieve.Filter // the same
}

// alternative is a list of conditions that must all hold.
type alternative []condition

// Sieve is the filter as the engine takes it.
func (f *Filter) Sieve() *sieve.Filter {
	if f == nil {
		return nil
	}
	return f.sieve
}

// MayMatch tells whether the signature can match an event. It does not allocate.
func (f *Filter) MayMatch(e *event.Event) bool { return f.Sieve().MayMatch(e) }

// Words describes the filter, one line for each alternative.
func (f *Filter) Words() []string { return f.Sieve().Words() }

// Derive derives the filter of query, which is the reference to a signature's
// verdict, or to an element of it. It returns nil where nothing is known, and an
// error where OPA cannot evaluate the query: the signature is evaluated on every
// event then.
func Derive(compiler *ast.Compiler, query ast.Body) (*Filter, error) {
	ctx, cancel := context.WithTimeout(context.Background(), deriveTimeout)
	defer cancel()
	partial, err := oparego.New(
		oparego.Compiler(compiler),
		oparego.ParsedQuery(query),
		oparego.Unknowns([]string{ast.InputRootDocument.String()}),
	).Partial(ctx)
	if err != nil {
		return nil, fmt.Errorf("evaluate %s without an event: %w", query, err)
	}
	// None at all would mean that it can never match: too strange to rely on.
	if len(partial.Queries) == 0 || len(partial.Queries) > maxAlternatives {
		return nil, nil
	}
	f := &Filter{sieve: &sieve.Filter{}}
	for _, body := range partial.Queries {
		a := translateBody(body)
		if len(a) == 0 {
			return nil, nil // may hold for any event
		}
		f.alternatives = append(f.alternatives, a)
		f.sieve.Alternatives = append(f.sieve.Alternatives, a.sieve())
	}
	return f, nil
}

func translateBody(body ast.Body) alternative {
	var a alternative
	seen := map[string]bool{}
	for _, expr := range byName(body) {
		c, ok := translate(expr)
		if ok && !seen[c.Words] {
			seen[c.Words] = true
			a = append(a, c)
		}
	}
	return a
}

func (a alternative) sieve() sieve.Alternative {
	list := make(sieve.Alternative, len(a))
	for i := range a {
		list[i] = a[i].Condition
	}
	return list
}
