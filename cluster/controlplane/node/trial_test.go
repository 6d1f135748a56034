package node

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestATrialSaysWhatANodeWouldAndLeavesNothing(t *testing.T) {
	for program, unsandboxed := range map[string]bool{"/usr/bin/env": false, "": true} {
		said := tried(t, program, unsandboxed)
		if plain := strings.Contains(strings.Join(said.Narrowed, " "), "UNSANDBOXED"); plain != unsandboxed {
			t.Errorf("unsandboxed %v: %q", unsandboxed, said.Narrowed)
		}
		hidden := strings.Contains(strings.Join(said.Enforced, " "), "see neither the host's processes")
		if hidden == unsandboxed {
			t.Errorf("unsandboxed %v: %q", unsandboxed, said.Enforced)
		}
	}
}

func tried(t *testing.T, program string, unsandboxed bool) enforcement {
	t.Helper()
	folder := t.TempDir()
	var written bytes.Buffer
	if err := Try(folder, program, unsandboxed, &written); err != nil {
		t.Fatal(err)
	}
	var said enforcement
	if err := json.Unmarshal(written.Bytes(), &said); err != nil {
		t.Fatal(err)
	}
	all := strings.Join(append(said.Enforced, said.Narrowed...), " ")
	for _, subject := range []string{"Pods have", "users", "cgroup", "processes"} {
		if !strings.Contains(strings.ReplaceAll(all, "control groups", "cgroup"), subject) {
			t.Errorf("nothing of %s: %q", subject, all)
		}
	}
	left, err := filepath.Glob(fmt.Sprintf("/sys/fs/cgroup/*/kompute-trial-%d*", os.Getpid()))
	if err != nil || len(left) > 0 {
		t.Errorf("left: %q, %v", left, err)
	}
	if files, err := os.ReadDir(folder); err != nil || len(files) > 0 {
		t.Errorf("left: %v, %v", files, err)
	}
	return said
}
