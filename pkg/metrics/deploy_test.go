package metrics

import (
	"encoding/json"
	"os"
	"regexp"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

var metricName = regexp.MustCompile(`\b(?:ipcwarden|process|go)_[a-z0-9_]+\b`)

// exported names the metrics that there are.
func exported(t *testing.T) map[string]bool {
	t.Helper()
	families, err := NewRegistry(sample).Gather()
	if err != nil {
		t.Fatal(err)
	}
	names := map[string]bool{}
	for _, family := range families {
		names[family.GetName()] = true
	}
	return names
}

// TestDashboard holds the dashboard to the metrics: it queries none that does not
// exist.
func TestDashboard(t *testing.T) {
	content, err := os.ReadFile("../../deploy/grafana/ipcwarden.json")
	if err != nil {
		t.Fatal(err)
	}
	var dashboard struct {
		Panels []struct {
			ID                 int
			Title, Description string
			Type               string
			Targets            []struct{ Expr string }
		}
	}
	if err := json.Unmarshal(content, &dashboard); err != nil {
		t.Fatal(err)
	}
	names, seen, used := exported(t), map[int]bool{}, 0
	for _, panel := range dashboard.Panels {
		if seen[panel.ID] || panel.Type != "row" && (panel.Title == "" || panel.Description == "" || len(panel.Targets) == 0) {
			t.Errorf("panel %+v", panel)
		}
		seen[panel.ID] = true
		for _, target := range panel.Targets {
			used += known(t, panel.Title, target.Expr, names)
		}
	}
	if used < 20 {
		t.Errorf("only %d metrics are queried", used)
	}
}

// TestAlertingRules holds the rules to the metrics.
func TestAlertingRules(t *testing.T) {
	content, err := os.ReadFile("../../deploy/prometheus/alerts.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		Groups []struct {
			Name  string `yaml:"name"`
			Rules []struct {
				Alert       string            `yaml:"alert"`
				Expr        string            `yaml:"expr"`
				For         string            `yaml:"for"`
				Labels      map[string]string `yaml:"labels"`
				Annotations map[string]string `yaml:"annotations"`
			} `yaml:"rules"`
		} `yaml:"groups"`
	}
	decoder := yaml.NewDecoder(strings.NewReader(string(content)))
	decoder.KnownFields(true)
	if err := decoder.Decode(&file); err != nil {
		t.Fatal(err)
	}
	names, seen := exported(t), map[string]bool{}
	for _, group := range file.Groups {
		for _, rule := range group.Rules {
			if seen[rule.Alert] || rule.Labels["severity"] == "" || rule.Annotations["summary"] == "" || rule.Annotations["description"] == "" {
				t.Errorf("rule %+v", rule)
			}
			seen[rule.Alert] = true
			if known(t, rule.Alert, rule.Expr, names) == 0 && !strings.HasPrefix(rule.Expr, "up{") {
				t.Errorf("%s is about no metric of ours", rule.Alert)
			}
		}
	}
	if len(seen) < 5 {
		t.Errorf("only %d rules", len(seen))
	}
}

// known counts the metrics in an expression, and reports those that do not exist.
func known(t *testing.T, where, expr string, names map[string]bool) int {
	t.Helper()
	found := metricName.FindAllString(expr, -1)
	for _, name := range found {
		if !names[name] {
			t.Errorf("%s: there is no metric %s", where, name)
		}
	}
	if opened := strings.Count(expr, "("); opened != strings.Count(expr, ")") {
		t.Errorf("%s: unbalanced: %s", where, expr)
	}
	return len(found)
}
