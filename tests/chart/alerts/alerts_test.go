// Package alerts evaluates the expression of every alert with Prometheus' own engine: once on series
// that must raise it, once on series that must not. A case is a file of promqltest's language in
// cases/, named as the alert; $alert stands for the expression.
package alerts

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/prometheus/prometheus/promql/promqltest"
	"sigs.k8s.io/yaml"
)

const rules = "../../../charts/orders/files/alerts"

type rule struct {
	Alert string `json:"alert"`
	Expr  string `json:"expr"`
}

func TestAlerts(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(rules, "*.yaml"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no alerts in %s: %v", rules, err)
	}
	for _, file := range files {
		var alert rule
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if err := yaml.Unmarshal(text, &alert); err != nil {
			t.Fatal(err)
		}
		t.Run(alert.Alert, func(t *testing.T) {
			script, err := os.ReadFile(filepath.Join("cases", alert.Alert+".promqltest"))
			if err != nil {
				t.Fatal(err)
			}
			expression := strings.Join(strings.Fields(alert.Expr), " ")
			engine := promqltest.NewTestEngine(t, false, 0, promqltest.DefaultMaxSamplesPerQuery)
			promqltest.RunTest(t, strings.ReplaceAll(string(script), "$alert", expression), engine)
		})
	}
}
