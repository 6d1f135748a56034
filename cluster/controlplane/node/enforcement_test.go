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
	// Whether there are any is found out by another group than the node's.
	trial, none := cgroup.New("kompute-"+config.DevnetID, cgroup.Limits{MemoryBytes: 1 << 30, Pids: 10})
	if none == nil {
		if err := trial.Close(); err != nil {
			t.Fatal(err)
		}
	}
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
	if limited != (none == nil) || limited != (group != nil) {
		t.Errorf("a group: %v, where there are none: %v; said %v", group != nil, none, found)
	}
	if len(found["narrowed"]) < 3 {
		t.Errorf("narrowed: %q", found["narrowed"])
	}
}

func TestANodeThatIsStartedAgainHoldsWhatItHeld(t *testing.T) {
	full := enforcement{Enforced: []string{"Quota.", "Users."}, Narrowed: []string{"Disk."}}
	for name, row := range map[string]struct {
		now    enforcement
		wanted string // of the error
	}{
		"the same": {full, ""},
		"more":     {enforcement{Enforced: append([]string{"More."}, full.Enforced...)}, ""},
		"less": {
			enforcement{Enforced: []string{"Users."}, Narrowed: []string{"No groups.", "Disk."}},
			`not all holds any more that held on this node before: ["Quota."]; now: ["No groups."]`,
		},
	} {
		file := filepath.Join(t.TempDir(), "enforcement.json")
		if err := row.now.holdsStill(file); err != nil {
			t.Errorf("%s, for the first time: %v", name, err)
		}
		if err := full.write(file); err != nil {
			t.Fatal(err)
		}
		err := row.now.holdsStill(file)
		if row.wanted == "" && err != nil || row.wanted != "" && (!errors.Is(err, errLess) || err.Error() != row.wanted) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// The whole of a node's start, up to where it differs from an earlier one.
func TestANodeIsNotStartedWithLessThanItHad(t *testing.T) {
	config, err := read(t, good)
	if err != nil {
		t.Fatal(err)
	}
	config.Folder = t.TempDir()
	config.DevnetID = fmt.Sprintf("test-less-%d", os.Getpid())
	config.Enforcement = filepath.Join(config.Folder, "enforcement.json")
	before := enforcement{Enforced: []string{"Gravity."}}
	if err := before.write(config.Enforcement); err != nil {
		t.Fatal(err)
	}
	if err := Run(t.Context(), config); !errors.Is(err, errLess) || !strings.Contains(err.Error(), "Gravity.") {
		t.Errorf("it ended with %v", err)
	}
	around, err := cgroup.New("kompute-"+config.DevnetID, cgroup.Limits{})
	if err != nil {
		return // no control groups
	}
	if err := around.Close(); err != nil {
		t.Error(err)
	}
}

func TestSwapThatNobodyCountsIsTold(t *testing.T) {
	const none = "Filename\tType\tSize\tUsed\tPriority\n"
	for name, row := range map[string]struct {
		bounded bool
		swaps   string
		told    int
	}{
		"counted":     {true, none + "/swapfile file 1 0 -2\n", 0},
		"not counted": {false, none + "/swapfile file 1 0 -2\n", 1},
		"no swap":     {false, none, 0},
		"no kernel's": {false, "", 0},
	} {
		if told := swapped(row.bounded, row.swaps); len(told) != row.told {
			t.Errorf("%s: %q", name, told)
		}
	}
}

func TestGroupsThatTakeNoLimitsAreNotCalledMissing(t *testing.T) {
	config, err := read(t, good)
	if err != nil {
		t.Fatal(err)
	}
	config.DevnetID = fmt.Sprintf("test-refused-%d", os.Getpid())
	around, err := cgroup.New("kompute-"+config.DevnetID, cgroup.Limits{QuotaMicroseconds: 1_000, PeriodMicroseconds: 100_000})
	if err != nil {
		t.Skipf("no control groups: %v", err)
	}
	defer func() {
		if err := around.Close(); err != nil {
			t.Error(err)
		}
	}()
	if around.Version() != "v1" {
		t.Skip("a hierarchy of version 2 takes a quota above the one around it")
	}
	group, said, err := limitNode(config)
	if err != nil || group != nil {
		t.Fatalf("a group: %v, %v", group != nil, err)
	}
	wanted := "CPU is not limited, memory for each process by itself and processes for each container: " +
		"control groups here take no limits (invalid argument)."
	if said.Narrowed[0] != wanted {
		t.Errorf("said %q", said.Narrowed[0])
	}
}
