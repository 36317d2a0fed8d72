package regosig

import (
	"slices"
	"strings"

	"github.com/open-policy-agent/opa/v1/ast"
)

// refused has the built-ins that reach outside of the event: a verdict must
// follow from the event and the signature alone, and a signature must not be a
// way out of the host.
var refused = map[string]string{
	"http.send":          "signatures have no access to the network",
	"opa.runtime":        "signatures have no access to the environment",
	"json.match_schema":  "a schema can name addresses and files, and signatures have access to neither",
	"json.verify_schema": "a schema can name addresses and files, and signatures have access to neither",
}

// refusal says why a built-in is refused, "" if it is not.
func refusal(builtin string) string {
	if strings.HasPrefix(builtin, "net.") {
		return refused["http.send"]
	}
	return refused[builtin]
}

// capabilities are OPA's without the refused built-ins. AllowNet must be empty
// and not nil, which would allow every address in a "$ref" of a schema.
func capabilities() *ast.Capabilities {
	caps := ast.CapabilitiesForThisVersion()
	caps.Builtins = slices.DeleteFunc(slices.Clone(caps.Builtins), func(b *ast.Builtin) bool {
		return refusal(b.Name) != ""
	})
	caps.AllowNet = []string{}
	return caps
}
