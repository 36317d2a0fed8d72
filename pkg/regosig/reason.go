package regosig

import (
	"strings"

	"github.com/open-policy-agent/opa/v1/ast"

	"github.com/ipcwarden/ipcwarden/pkg/nearest"
)

// undefinedFunction starts what OPA says of a call that it cannot resolve.
const undefinedFunction = "undefined function "

// reason says in one line what e says in several.
func reason(e *ast.Error) string {
	if name, ok := strings.CutPrefix(e.Message, undefinedFunction); ok {
		if why := refusal(name); why != "" {
			return "built-in " + name + " is refused: " + why
		}
		if !missesOther(e) {
			return e.Message + builtinHint(name)
		}
	}
	if detail, ok := e.Details.(*ast.RefErrInvalidDetail); ok {
		return e.Message + fieldHint(detail)
	}
	if detail, ok := e.Details.(*ast.UnificationErrDetail); ok {
		left, right := scalarKind(detail.Left), scalarKind(detail.Right)
		if left != "" && right != "" && left != right {
			return e.Message + ": " + left + " is never equal to " + right
		}
	}
	if e.Details != nil {
		return e.Message + ": " + oneLine(e.Details.Lines())
	}
	return e.Message
}

// builtinHint names the built-in that was meant.
func builtinHint(misspelt string) string {
	var names []string
	for _, b := range capabilities().Builtins {
		if !b.IsDeprecated() {
			names = append(names, b.Name)
		}
	}
	if near := nearest.Guess(misspelt, names); near != "" {
		return "; the nearest is " + near
	}
	return ""
}

// oneLine joins the lines of a detail but those that only mark a column.
func oneLine(lines []string) string {
	var parts []string
	for _, line := range lines {
		if strings.Trim(line, " ^") != "" {
			parts = append(parts, strings.Join(strings.Fields(line), " "))
		}
	}
	return strings.Join(parts, ", ")
}

// fieldHint names the field that does not exist, and the one that was meant.
func fieldHint(detail *ast.RefErrInvalidDetail) string {
	if detail.Pos >= len(detail.Ref) {
		return ""
	}
	field, ok := detail.Ref[detail.Pos].Value.(ast.String)
	if !ok {
		return ""
	}
	var names []string
	for _, v := range detail.OneOf {
		if name, ok := v.(ast.String); ok {
			names = append(names, string(name))
		}
	}
	hint := ": " + detail.Ref[:detail.Pos].String() + " has no field " + string(field)
	if near := nearest.Name(string(field), names); near != "" {
		hint += "; the nearest is " + near
	}
	return hint
}
