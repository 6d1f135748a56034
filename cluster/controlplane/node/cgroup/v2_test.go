package cgroup

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// These tests write plain files: a machine has one version of control groups or the other.

func told(t *testing.T, parts ...string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(parts...))
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(text))
}

func TestV2GroupsAreNestedAndLimitedInItsOwnWords(t *testing.T) {
	root := t.TempDir()
	node, err := newGroup(unified{root}, &tree{percent: whole}, nil, "kompute-d/worker-1", Milli(125))
	if err != nil {
		t.Fatal(err)
	}
	pod, err := node.Child("pod-1", Limits{
		Shares: 51, QuotaMicroseconds: 400_000, PeriodMicroseconds: 100_000, MemoryBytes: 32 << 20, Pids: 256,
	})
	if err != nil {
		t.Fatal(err)
	}
	folder := filepath.Join(root, "kompute-d", "worker-1")
	for file, wanted := range map[string]string{
		filepath.Join(root, "cgroup.subtree_control"):              "+cpu +memory +pids",
		filepath.Join(root, "kompute-d", "cgroup.subtree_control"): "+cpu +memory +pids",
		filepath.Join(folder, "cgroup.subtree_control"):            "+cpu +memory +pids",
		filepath.Join(folder, "cpu.max"):                           "2500 20000",
		filepath.Join(folder, "pod-1", "cpu.max"):                  "2500 20000", // no more than the node's
		filepath.Join(folder, "pod-1", "cpu.weight"):               "2",
		filepath.Join(folder, "pod-1", "memory.max"):               "33554432",
		filepath.Join(folder, "pod-1", "pids.max"):                 "256",
	} {
		if got := told(t, file); got != wanted {
			t.Errorf("%s has %q, wanted %q", strings.TrimPrefix(file, root), got, wanted)
		}
	}
	if err := pod.Join(4711); err != nil {
		t.Fatal(err)
	}
	if got := told(t, folder, "pod-1", "cgroup.procs"); got != "4711" {
		t.Errorf("in it: %q", got)
	}
}

func TestV2FiguresAreRead(t *testing.T) {
	root := t.TempDir()
	for name, text := range map[string]string{
		"cpu.stat":       "usage_usec 1500\nuser_usec 1000\nsystem_usec 500\n",
		"memory.current": "1000000\n",
		"memory.stat":    "anon 700000\nfile 300000\ninactive_file 200000\npgfault 9\npgmajfault 3\n",
		"memory.peak":    "2000000\n",
		"memory.events":  "low 0\nhigh 0\nmax 4\noom 2\noom_kill 1\n",
		"pids.current":   "5\n",
	} {
		if err := os.MkdirAll(filepath.Join(root, "g"), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(root, "g", name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	group := &Group{files: unified{root}, name: "g"}
	usage, err := group.Usage()
	wanted := Usage{
		CPUNanoseconds: 1_500_000, MemoryBytes: 1_000_000, WorkingSetBytes: 800_000, RSSBytes: 700_000,
		PageFaults: 9, MajorPageFaults: 3, Processes: 5,
	}
	if err != nil || usage != wanted {
		t.Errorf("%+v, %v", usage, err)
	}
	if peak, kills := group.PeakBytes(), group.OOMKills(); peak != 2_000_000 || kills != 1 {
		t.Errorf("peak %d, kills %d", peak, kills)
	}
}

func TestV2GroupsDoNotSwapAndAreKilledByTheKernel(t *testing.T) {
	root := t.TempDir()
	group, err := newGroup(unified{root}, &tree{percent: whole}, nil, "g", Limits{MemoryBytes: 1 << 20})
	if err != nil {
		t.Fatal(err)
	}
	if group.BoundsSwap() {
		t.Error("swap is bounded by a kernel that does not have it")
	}
	for _, name := range []string{"memory.swap.max", "cgroup.kill", "pids.max"} {
		if err := os.WriteFile(filepath.Join(root, "g", name), nil, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := group.Limit(Limits{MemoryBytes: 2 << 20}); err != nil {
		t.Fatal(err)
	}
	if err := group.Kill(); err != nil {
		t.Fatal(err)
	}
	for name, wanted := range map[string]string{"memory.swap.max": "0", "cgroup.kill": "1", "pids.max": "0"} {
		if got := told(t, root, "g", name); got != wanted {
			t.Errorf("%s has %q, wanted %q", name, got, wanted)
		}
	}
	if !group.BoundsSwap() {
		t.Error("it is said to swap")
	}
}
