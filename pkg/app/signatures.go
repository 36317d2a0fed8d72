package app

import (
	"errors"

	"go.uber.org/zap"

	"github.com/ipcwarden/ipcwarden/pkg/config"
	"github.com/ipcwarden/ipcwarden/pkg/detect"
	"github.com/ipcwarden/ipcwarden/pkg/engine"
	"github.com/ipcwarden/ipcwarden/pkg/regosig"
	"github.com/ipcwarden/ipcwarden/pkg/suppress"
	"github.com/ipcwarden/ipcwarden/signatures"
)

// SignatureOptions say which signatures judge the events.
type SignatureOptions struct {
	Signatures []string // directories, files or bundles, beside the built-in ones
	BundleKey  string   // file with the key that bundles are signed for, if not empty
	NoBuiltin  bool
	Choice     regosig.Choice
}

func (opts *SignatureOptions) sources() ([]regosig.Source, error) {
	return regosig.WithBundleKey(regosig.Sources(opts.NoBuiltin, opts.Signatures), opts.BundleKey)
}

// loaded is signatures that are ready for use.
type loaded struct {
	engine   *engine.Set
	metadata []*detect.Metadata
	config   *config.Loaded // that they are of; nil if they are of none
	suppress *suppress.List
}

// loadFor loads the signatures of a configuration, and what is suppressed of their findings.
func loadFor(c *config.Loaded, log *zap.Logger) (*loaded, error) {
	set, err := loadSignatures(signatureOptions(c), log)
	if err != nil {
		return nil, err
	}
	set.config = c
	set.suppress, err = suppress.New(c.Suppress)
	return set, err
}

func loadSignatures(opts SignatureOptions, log *zap.Logger) (*loaded, error) {
	sources, err := opts.sources()
	if err != nil {
		return nil, err
	}
	set, err := regosig.Load(sources...)
	if err != nil {
		return nil, err
	}
	for _, warning := range set.Warnings() {
		log.Warn("signature", zap.String("warning", warning))
	}
	all := set.Signatures()
	if !opts.NoBuiltin {
		if all, err = signatures.AddTo(all); err != nil {
			return nil, err
		}
	}
	if all, err = opts.Choice.Of(all); err != nil {
		return nil, err
	}
	if len(all) == 0 {
		return nil, errors.New("no signature to watch with: leave out --no-builtin and --disable, or add some with --signatures DIR")
	}
	l := &loaded{}
	for _, s := range all {
		l.metadata = append(l.metadata, s.Metadata())
	}
	l.engine, err = engine.NewSet(all)
	return l, err
}
