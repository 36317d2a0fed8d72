package regosig

import "slices"

// traceeFields are fields of the document that only Tracee has: of its last version with
// Rego, and of earlier ones.
var traceeFields = []string{
	"metadata", "matchedScopes", "policyVersion", "kubernetes.podSandbox",
	"containerImage", "containerName", "podName", "podNamespace", "podUID", "podSandbox",
}

// checkTracees holds Tracee's signatures that are about events of ipcwarden to the schema.
// Those of packages that are about others, too, and of libraries are only warned of: what
// they miss may be there for others.
func (l *loader) checkTracees(packages []*regoPackage) {
	if len(l.list) > 0 {
		return
	}
	var found problems
	held, warned := map[string]bool{}, map[string]bool{}
	var all, seen, mixed []*module
	for _, p := range packages {
		if !p.isTracee() && p.isSignature() {
			continue
		}
		all = append(all, p.modules...)
		switch {
		case !p.isTracee() || p.modules[0].builtin:
		case p.isSignature() && (p.tracee == nil || p.tracee.metadata.Events == 0):
			// Nothing is known of the events that it is about.
		case !p.isSignature() || p.tracee.unseen:
			mixed = append(mixed, p.modules...)
		default:
			seen = append(seen, p.modules...)
		}
	}
	if len(seen)+len(mixed) == 0 {
		return
	}
	schema, err := inputSchema(traceeFields...)
	if err != nil {
		l.add(builtinName, 0, 0, "%v", err)
		return
	}
	compiler := compile(all, schema, l.caps, true, &found)
	whole := len(found.list) == 0 // else, what is missing may be in a file that was taken out
	check := func(modules []*module, unseen bool, names map[string]bool) {
		for _, m := range modules {
			names[m.name] = true
		}
		if compiler == nil {
			return
		}
		modules = slices.DeleteFunc(modules, func(m *module) bool { return compiler.Modules[m.name] == nil })
		if whole {
			checkReferences(compiler, modules, &found)
		}
		checkMeaning(compiler, modules, unseen, &found)
	}
	check(seen, false, held)
	check(mixed, true, warned)
	for _, p := range found.list {
		switch {
		case held[p.File]:
			l.list = append(l.list, p)
		case warned[p.File]:
			l.warned = append(l.warned, p)
		}
	}
	l.warned = append(l.warned, found.warned...)
}
