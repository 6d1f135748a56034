package node

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestWhatIsNoPaceIsToldAndChangesNothing(t *testing.T) {
	file := filepath.Join(t.TempDir(), "pace.json")
	kept := pace{file, wholePercent}
	if percent, err := kept.read(); percent != wholePercent || err != nil {
		t.Errorf("without a file: %d, %v", percent, err)
	}
	for text, wanted := range map[string]string{
		`{"percent": 25}`:  "",
		`{"percent": 0}`:   "percent is not in 1 to 100: 0",
		`{"percent": 101}`: "percent is not in 1 to 100: 101",
		`{}`:               "percent is not in 1 to 100: 0",
		`{"percent": `:     "unexpected end of JSON input",
	} {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		percent, err := kept.read()
		switch {
		case wanted == "" && (percent != 25 || err != nil):
			t.Errorf("%s: %d, %v", text, percent, err)
		case wanted != "" && (err == nil || !strings.Contains(err.Error(), wanted)):
			t.Errorf("%s: %v, wanted %s", text, err, wanted)
		}
	}
}
