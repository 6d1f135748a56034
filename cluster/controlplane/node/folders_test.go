package node

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestOnlyWhatWasHandedToTheNodesIsNamed(t *testing.T) {
	root := t.TempDir()
	for _, path := range []string{"project/service/inner", "project/.devnet/one/runs/service", "projects", "elsewhere"} {
		if err := os.MkdirAll(filepath.Join(root, path), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for link, target := range map[string]string{"project/out": "elsewhere", "in": "project/service"} {
		if err := os.Symlink(filepath.Join(root, target), filepath.Join(root, link)); err != nil {
			t.Fatal(err)
		}
	}
	file := filepath.Join(root, "folders.json")
	known := folders{handed: file, hidden: []string{filepath.Join(root, "project/.devnet")}}
	if err := known.check(filepath.Join(root, "project")); err == nil || !strings.Contains(err.Error(), "(none)") {
		t.Errorf("before any was handed: %v", err)
	}
	hand := func(paths ...string) {
		var list []string
		for _, path := range paths {
			list = append(list, filepath.Join(root, path))
		}
		text, err := json.Marshal(list)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	hand("project")
	for path, named := range map[string]bool{
		"": false, "project": true, "project/service/inner": true, "in": true,
		"projects": false, "elsewhere": false, "project/out": false, "project/../elsewhere": false,
		"project/nothing": false, "/project": false, "project/service/..": false, "project/": false, "project/.devnet": false, "project/.devnet/one": false, "../../../..": false,
	} {
		if err := known.check(root + "/" + path); (err == nil) != named {
			t.Errorf("%q: %v", path, err)
		}
	}
	hand("project", "project/.devnet/one/runs/service") // the devnet's own word for one of its own
	for path, named := range map[string]bool{"project/.devnet/one/runs/service": true, "project/.devnet/one/runs": false} {
		if err := known.check(filepath.Join(root, path)); (err == nil) != named {
			t.Errorf("%q: %v", path, err)
		}
	}
	if err := os.WriteFile(file, []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := known.check(root); err == nil || !strings.Contains(err.Error(), file) {
		t.Errorf("a list that is none: %v", err)
	}
}
