package regosig

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/open-policy-agent/opa/v1/ast"

	"github.com/ipcwarden/ipcwarden/pkg/detect"
)

// The properties of Tracee's signatures that metadata has a field for.
const (
	severityProperty = "Severity"
	attackProperty   = "MITRE ATT&CK"
	techniqueID      = "external_id"
)

// readMetadoc fills md with __rego_metadoc__, whose keys Tracee reads without
// regard to case.
func readMetadoc(md *detect.Metadata, value any, loc *ast.Location, ps *problems) (warnings []string) {
	doc, ok := value.(map[string]any)
	if !ok {
		ps.at(loc, "%s is %s, not an object", traceeMetadoc, kindOf(value))
		return nil
	}
	eventName := ""
	md.Properties = map[string]any{}
	for key, v := range doc {
		switch strings.ToLower(key) {
		case "id":
			md.ID = metadocText(key, v, loc, ps)
		case "version":
			md.Version = metadocText(key, v, loc, ps)
		case "name":
			md.Title = metadocText(key, v, loc, ps)
		case "eventname":
			eventName = metadocText(key, v, loc, ps)
		case "description":
			md.Description = metadocText(key, v, loc, ps)
		case "tags":
			md.Tags = metadocList(key, v, loc, ps)
		case "properties":
			properties, ok := v.(map[string]any)
			if !ok {
				ps.at(loc, "%s: %s is %s, not an object", traceeMetadoc, key, kindOf(v))
				continue
			}
			md.Properties = properties
		}
	}
	if md.ID == "" {
		ps.at(loc, "%s has no id", traceeMetadoc)
	}
	if _, taken := md.Properties["eventName"]; !taken && eventName != "" {
		md.Properties["eventName"] = eventName
	}
	for _, key := range []string{techniqueID, attackProperty} {
		if text, ok := md.Properties[key].(string); ok && md.Attack == nil {
			md.Attack = techniquePattern.FindAllString(text, -1)
		}
	}
	severity, stated := md.Properties[severityProperty]
	if !stated {
		md.Severity = detect.Medium
		return []string{fmt.Sprintf("has no property %s, taken for %s", severityProperty, md.Severity)}
	}
	md.Severity, ok = traceeSeverity(severity)
	if !ok {
		ps.at(loc, "%s: property %s is not a number from 0 (info) to 3 (high) or above (critical)", traceeMetadoc, severityProperty)
	}
	return nil
}

// traceeSeverity maps Tracee's numbers, 0 to 3, to severities; what goes beyond
// is critical.
func traceeSeverity(value any) (detect.Severity, bool) {
	number, ok := value.(json.Number)
	if !ok {
		return 0, false
	}
	f, err := number.Float64()
	if err != nil || f < 0 {
		return 0, false
	}
	return detect.Severity(min(f, float64(detect.Critical))), true
}

func metadocText(key string, value any, loc *ast.Location, ps *problems) string {
	text, ok := value.(string)
	if !ok {
		ps.at(loc, "%s: %s is %s, not a string", traceeMetadoc, key, kindOf(value))
	}
	return text
}

func metadocList(key string, value any, loc *ast.Location, ps *problems) []string {
	elements, ok := value.([]any)
	if !ok {
		ps.at(loc, "%s: %s is %s, not a list", traceeMetadoc, key, kindOf(value))
		return nil
	}
	var texts []string
	for _, element := range elements {
		texts = append(texts, metadocText(key, element, loc, ps))
	}
	return texts
}
