package main

import (
	"encoding/base64"
	"encoding/json"
	"time"
)

// order is what the host asks of whoever runs the tests. The guest finds it on
// its kernel command line.
type order struct {
	Hooks    []string      `json:"hooks"`
	Binaries []string      `json:"binaries"`
	Run      string        `json:"run,omitempty"`
	Short    bool          `json:"short,omitempty"`
	Limit    time.Duration `json:"limit"`
}

// encode makes one word of the order: a regular expression may have blanks and
// quotes, which a command line would take apart.
func (o order) encode() (string, error) {
	b, err := json.Marshal(o)
	return base64.RawURLEncoding.EncodeToString(b), err
}

func decodeOrder(word string) (o order, err error) {
	b, err := base64.RawURLEncoding.DecodeString(word)
	if err != nil {
		return o, err
	}
	return o, json.Unmarshal(b, &o)
}

// The types of record, in the order in which they are sent.
const (
	recordBoot     = "boot"     // Release
	recordRun      = "run"      // Hook, Test: has begun; shows where a hang is
	recordTest     = "test"     // Hook, Test, Result, Seconds, Output
	recordBinary   = "binary"   // Hook, Binary, Output: ended badly though no test failed
	recordStream   = "stream"   // Hook, Name, Data
	recordHook     = "hook"     // Hook, Seconds: everything was run
	recordDoctor   = "doctor"   // Document or Error
	recordPrograms = "programs" // Document or Error
	recordKernel   = "kernel"   // Output: warnings in the kernel's log
	recordError    = "error"    // Hook, Error: what the guest could not do
	recordEnd      = "end"
)

// record is one line from whoever runs the tests to the host.
type record struct {
	Type     string          `json:"type"`
	Release  string          `json:"release,omitempty"`
	Hook     string          `json:"hook,omitempty"`
	Binary   string          `json:"binary,omitempty"`
	Test     string          `json:"test,omitempty"`
	Result   string          `json:"result,omitempty"`
	Seconds  float64         `json:"seconds,omitempty"`
	Output   string          `json:"output,omitempty"`
	Name     string          `json:"name,omitempty"`
	Data     string          `json:"data,omitempty"` // base64 of gzip
	Document json.RawMessage `json:"document,omitempty"`
	Error    string          `json:"error,omitempty"`
}
