// Package rego holds the built-in Rego signatures, the libraries that every
// Rego signature may import, and the JSON Schema of the document they see.
package rego

import "embed"

// FS has the built-in signatures, <slug>/<slug>.rego each beside its test.
//
//go:embed */*.rego
var FS embed.FS

// Library has what signatures import: data.ipcwarden.* and data.tracee.helpers.
//
//go:embed lib
var Library embed.FS

// Schema is the JSON Schema of the document that signatures see as input. It is
// generated from event.Document. Read only.
//
//go:embed schemas/event.json
var Schema []byte
