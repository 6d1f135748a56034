package node

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
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

// A process that is in one hierarchy alone, where no node looks for it, keeps a group from going.
func TestANodeDoesNotGoWithoutLimitsForWhatIsLeft(t *testing.T) {
	config, err := read(t, good)
	if err != nil {
		t.Fatal(err)
	}
	config.DevnetID = fmt.Sprintf("test-left-%d", os.Getpid())
	group, err := cgroup.New(config.group(), cgroup.Limits{})
	if err != nil {
		t.Skipf("no control groups: %v", err)
	}
	if group.Version() != "v1" {
		t.Skip("in a hierarchy of all controllers nothing is in one alone")
	}
	around, err := cgroup.New("kompute-"+config.DevnetID, cgroup.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	lasting := exec.Command("sleep", "60")
	if err := lasting.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		_ = lasting.Process.Kill()
		_ = lasting.Wait()
		if err := around.Close(); err != nil {
			t.Error(err)
		}
	}()
	if err := group.Join(lasting.Process.Pid); err != nil {
		t.Fatal(err)
	}
	own, err := os.ReadFile("/proc/self/cgroup")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(own)) { // back to where it was, in one of them
		if parts := strings.SplitN(strings.TrimSpace(line), ":", 3); len(parts) == 3 && parts[1] == "pids" {
			home := filepath.Join("/sys/fs/cgroup/pids", parts[2], "cgroup.procs")
			if _, err := os.Stat(home); err != nil {
				home = "/sys/fs/cgroup/pids/cgroup.procs"
			}
			if err := os.WriteFile(home, []byte(fmt.Sprint(lasting.Process.Pid)), 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
	made, _, err := limitNode(config)
	if made != nil || !errors.Is(err, errLeft) || !strings.Contains(err.Error(), "stays") {
		t.Errorf("a group: %v; said %v", made != nil, err)
	}
}

func TestWhatHoldsIsWrittenWhole(t *testing.T) {
	config, err := read(t, good)
	if err != nil {
		t.Fatal(err)
	}
	config.DevnetID = fmt.Sprintf("test-%d", os.Getpid())
	group, said, err := limitNode(config)
	if err != nil {
		t.Fatal(err)
	}
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
