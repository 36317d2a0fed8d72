package prefilter

import "github.com/open-policy-agent/opa/v1/ast"

// byName replaces input.args[i].value by input.arg.name in a body that says
// input.args[i].name = "name": Tracee's signatures look for an argument like that.
func byName(body ast.Body) ast.Body {
	names := map[ast.Var]ast.Value{}
	for _, expr := range body {
		if !expr.IsEquality() || expr.Negated {
			continue
		}
		for i := range 2 {
			if index, ok := ofArgument(expr.Operand(i).Value, "name"); ok {
				if name, isText := expr.Operand(1 - i).Value.(ast.String); isText {
					names[index] = name
				}
			}
		}
	}
	if len(names) == 0 {
		return body
	}
	replaced, err := ast.TransformRefs(body.Copy(), func(ref ast.Ref) (ast.Value, error) {
		if index, ok := ofArgument(ref, "value"); ok && names[index] != nil {
			return argRef.Append(ast.NewTerm(names[index])), nil
		}
		return ref, nil
	})
	if b, ok := replaced.(ast.Body); ok && err == nil {
		return b
	}
	return body
}

// ofArgument takes input.args[i] with a member.
func ofArgument(v ast.Value, member ast.String) (index ast.Var, ok bool) {
	ref, isRef := v.(ast.Ref)
	if !isRef || len(ref) != len(argsRef)+2 || !ref.HasPrefix(argsRef) || ref[len(ref)-1].Value.Compare(member) != 0 {
		return "", false
	}
	index, ok = ref[len(argsRef)].Value.(ast.Var)
	return index, ok
}

var argsRef = ast.MustParseRef("input.args")
