// Package plan evaluates the plan that OPA makes of a query
// (github.com/open-policy-agent/opa/v1/ir): Compile turns every statement into a
// Go closure over compact values. The answers are those of OPA's own
// interpreter, topdown; what cannot be compiled is an error of Compile that names
// it, so that the caller can use topdown instead. One difference is left: a function
// that gives two values for the same arguments is always an error, where topdown
// finds out only if the rest of the calling rule holds for the first value.
//
// The input can be a value, or a Node: a document that is not there, of which
// members are read when the query asks for them.
package plan
