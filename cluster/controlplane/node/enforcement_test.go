package node

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"kompute.network/devnet/controlplane/node/cgroup"
)

func TestWhyThereAreNoControlGroupsIsTheSameForEachNode(t *testing.T) {
	refused := &fs.PathError{Op: "mkdir", Path: "/sys/fs/cgroup/cpu/kompute-d/worker-1", Err: syscall.EACCES}
	if said := cause(fmt.Errorf("control group kompute-d/worker-1: %w", refused)); said != syscall.EACCES {
		t.Errorf("said %v", said)
	}
	if said := cause(fs.ErrClosed); said != fs.ErrClosed {
		t.Errorf("said %v", said)
	}
}

func TestWhatHoldsIsWrittenWhole(t *testing.T) {
	config, err := read(t, good)
	if err != nil {
		t.Fatal(err)
	}
	config.DevnetID = fmt.Sprintf("test-%d", os.Getpid())
	group, said := limitNode(config)
	if group != nil {
		around, err := cgroup.New("kompute-"+config.DevnetID, cgroup.Limits{})
		if err != nil {
			t.Fatal(err)
		}
		if err := around.Close(); err != nil {
			t.Error(err)
		}
	}
	file := filepath.Join(t.TempDir(), "enforcement.json")
	if err := said.write(file); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var found map[string][]string
	if err := json.Unmarshal(text, &found); err != nil {
		t.Fatal(err)
	}
	limited := strings.Contains(strings.Join(found["enforced"], " "), "CPU quota")
	if limited != (group != nil) {
		t.Errorf("with a group: %v; said %v", group != nil, found)
	}
	if len(found["narrowed"]) < 3 {
		t.Errorf("narrowed: %q", found["narrowed"])
	}
}
