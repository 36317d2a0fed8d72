package metrics

import (
	"encoding/json"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

var metricName = regexp.MustCompile(`\b(?:ipcwarden|process|go)_[a-z0-9_]+\b`)

// exported is the metrics that there are, each with its labels.
func exported(t *testing.T) map[string][]string {
	t.Helper()
	families, err := NewRegistry(sample).Gather()
	if err != nil {
		t.Fatal(err)
	}
	names := map[string][]string{}
	for _, family := range families {
		labels := []string{"job", "instance"} // which Prometheus adds
		for _, label := range family.GetMetric()[0].GetLabel() {
			labels = append(labels, label.GetName())
		}
		names[family.GetName()] = labels
	}
	return names
}

// notShown are metrics for which there is no panel: what they say is in the log, or for
// a query of one's own.
var notShown = []string{
	"ipcwarden_build_info", "ipcwarden_correlation_matches_total", "ipcwarden_correlation_found_total", "ipcwarden_correlation_late_total",
	"ipcwarden_correlation_bytes", "ipcwarden_sink_below_total", "ipcwarden_throttle_evicted_groups_total", "ipcwarden_spool_failing",
	"ipcwarden_spool_errors_total", "ipcwarden_spool_cut_bytes_total", "ipcwarden_reload_last_success_timestamp_seconds",
	"ipcwarden_reload_last_failed",
}

// TestDashboard holds the dashboard to the metrics: it queries none that does not
// exist, and all of ours that there are, but for a few.
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
	names, seen, used := exported(t), map[int]bool{}, map[string]bool{}
	for _, panel := range dashboard.Panels {
		if seen[panel.ID] || panel.Type != "row" && (panel.Title == "" || panel.Description == "" || len(panel.Targets) == 0) {
			t.Errorf("panel %+v", panel)
		}
		seen[panel.ID] = true
		for _, target := range panel.Targets {
			for _, name := range known(t, panel.Title, target.Expr, names) {
				used[name] = true
			}
		}
	}
	for name := range names {
		if strings.HasPrefix(name, namespace) && used[name] == slices.Contains(notShown, name) {
			t.Errorf("%s is shown: %t", name, used[name])
		}
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
			if len(known(t, rule.Alert, rule.Expr, names)) == 0 && !strings.HasPrefix(rule.Expr, "up{") {
				t.Errorf("%s is about no metric of ours", rule.Alert)
			}
		}
	}
	if len(seen) < 5 {
		t.Errorf("only %d rules", len(seen))
	}
}

var (
	// grouped finds the labels of an aggregation, and matched those of a selector.
	grouped = regexp.MustCompile(`\bby \(([^)]*)\)`)
	matched = regexp.MustCompile(`(\w+)(?:=~|!=|!~|=)"`)
)

// known lists the metrics in an expression, and reports those that do not exist, and
// labels that none of them has.
func known(t *testing.T, where, expr string, names map[string][]string) []string {
	t.Helper()
	found := metricName.FindAllString(expr, -1)
	var labels []string
	for _, name := range found {
		if names[name] == nil {
			t.Errorf("%s: there is no metric %s", where, name)
		}
		labels = append(labels, names[name]...)
	}
	var wanted []string
	for _, match := range grouped.FindAllStringSubmatch(expr, -1) {
		wanted = append(wanted, strings.Split(match[1], ", ")...)
	}
	for _, match := range matched.FindAllStringSubmatch(expr, -1) {
		wanted = append(wanted, match[1])
	}
	for _, label := range wanted {
		if len(found) > 0 && !slices.Contains(labels, label) {
			t.Errorf("%s: no metric has the label %s: %s", where, label, expr)
		}
	}
	if opened := strings.Count(expr, "("); opened != strings.Count(expr, ")") {
		t.Errorf("%s: unbalanced: %s", where, expr)
	}
	return found
}
