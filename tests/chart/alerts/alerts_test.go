// Package alerts evaluates the expression of every alert with Prometheus' own engine: on series
// that must raise it, on series that must not, and on half an hour of healthy rollouts. A case is a file of promqltest's language in
// cases/, named as the alert; $alert stands for the expression. The query by which the operator
// judges a rollout is evaluated likewise.
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

// query names the variable that has the operator's query.
const query = "ANALYSIS_QUERY"

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
			run(t, filepath.Join("cases", alert.Alert+".promqltest"), "$alert", alert.Expr)
			run(t, "healthy.promqltest", "$alert", alert.Expr)
		})
	}
}

func TestAnalysisQuery(t *testing.T) {
	asked := os.Getenv(query)
	if asked == "" {
		t.Fatalf("%s is empty", query)
	}
	run(t, "analysis.promqltest", "$query", asked)
}

// run has Prometheus' engine do what a script says, in which a word stands for an expression.
func run(t *testing.T, name, word, expression string) {
	script, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	whole := strings.Join(strings.Fields(expression), " ")
	engine := promqltest.NewTestEngine(t, false, 0, promqltest.DefaultMaxSamplesPerQuery)
	promqltest.RunTest(t, strings.ReplaceAll(string(script), word, whole), engine)
}
