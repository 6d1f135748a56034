package lifecycle

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const good = `{"kubeconfig": "/k", "kinds": [
{"selector": "!light", "period_milliseconds": 200, "grace_milliseconds": 2000}]}`

func TestAllThatIsWrongWithAConfigurationIsTold(t *testing.T) {
	for change, wanted := range map[string]string{
		`"!light"|"a in"`: `kinds[0].selector is none: "a in"`,
		`"!light"|""`:     `kinds[0].selector is none: ""`,
		`": 200,|": 0,`:   "kinds[0]: a grace of 2000 ms at a period of 0 ms",
		`": 2000|": 100`:  "kinds[0]: a grace of 100 ms at a period of 200 ms",
		`"kinds"|"kind"`:  `unknown field "kind"`,
	} {
		from, to, _ := strings.Cut(change, "|")
		file := filepath.Join(t.TempDir(), "node-lifecycle.json")
		if err := os.WriteFile(file, []byte(strings.Replace(good, from, to, 1)), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := ReadConfig(file); err == nil || !strings.Contains(err.Error(), wanted) {
			t.Errorf("%s: %v, not %q", change, err, wanted)
		}
	}
}
