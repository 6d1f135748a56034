package node

import (
	"os"
	"path/filepath"
	"testing"
)

func TestTheHostsFolderOfLogsIsLeftAlone(t *testing.T) {
	link := legacyLogs + "/kompute-test.log"
	if err := (hostFiles{}).Symlink("/etc/hostname", link); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Lstat(link); !os.IsNotExist(err) {
		t.Errorf("it is there: %v", err)
	}
	if found, err := (hostFiles{}).Glob(legacyLogs + "/*"); err != nil || len(found) != 0 {
		t.Errorf("%q, %v", found, err)
	}
	if err := (hostFiles{}).Remove(link); err != nil {
		t.Error(err)
	}
}

func TestTheNodesOwnFilesAreWritten(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "pods", "one")
	if err := (hostFiles{}).MkdirAll(folder, 0o755); err != nil {
		t.Fatal(err)
	}
	link := filepath.Join(folder, "link")
	if err := (hostFiles{}).Symlink("/etc/hostname", link); err != nil {
		t.Fatal(err)
	}
	if found, err := (hostFiles{}).Glob(folder + "/*"); err != nil || len(found) != 1 {
		t.Errorf("%q, %v", found, err)
	}
	if err := (hostFiles{}).Remove(link); err != nil {
		t.Error(err)
	}
}
