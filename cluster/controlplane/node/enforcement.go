package node

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"
	"syscall"

	v1 "k8s.io/api/core/v1"

	"kompute.network/devnet/controlplane/node/cgroup"
)

const (
	nodePids = 4096
	podPids  = 256
)

// enforcement is what holds on this node, each in one sentence.
type enforcement struct {
	Enforced []string `json:"enforced"`
	Narrowed []string `json:"narrowed"`
}

// limitNode makes the node's control group and says what holds; no group, and why, where the machine
// does not allow one. What an earlier life of the node left is ended first.
//
// Where there are control groups and what was left does not go, it fails: a node without limits
// would pass for one that has them.
func limitNode(config Config) (*cgroup.Group, enforcement, error) {
	cpu, memory := config.quantity(v1.ResourceCPU), config.quantity(v1.ResourceMemory)
	limits := cgroup.Milli(cpu.MilliValue())
	limits.MemoryBytes, limits.Pids = memory.Value(), nodePids
	sees := "Pods have no capabilities, gain no privileges, and see neither the host's processes nor its homes."
	if config.Unsandboxed {
		sees = "Pods have no capabilities, gain no privileges, and have a filter of system calls."
	}
	said := enforcement{
		Enforced: []string{"A lost node's pods are killed with it.", sees},
		Narrowed: []string{
			"Disk write rate is not enforced: it bounds what is scheduled and what a performance " +
				"test may claim.",
			"Network rate is not enforced: a performance test's figure is cut at the profile's.",
			"Pods have addresses of their own, but share the host's network.",
		},
	}
	unlimited := "CPU is not limited, memory for each process by itself and processes for each container"
	if config.Unsandboxed {
		said.Narrowed = append(unsandboxed(), said.Narrowed...)
		unlimited = "CPU and the number of processes are not limited, and memory for each process by itself"
	}
	group, err := freshGroup(config.group(), limits)
	if errors.Is(err, errLeft) {
		return nil, said, err
	}
	if err != nil {
		why := "no control groups here"
		if errors.Is(err, cgroup.ErrRefused) {
			why = "control groups here take no limits"
		}
		said.Narrowed = append([]string{
			fmt.Sprintf("%s: %s (%v).", unlimited, why, cause(err)),
		}, said.Narrowed...)
		return nil, said, nil
	}
	if config.Unsandboxed {
		said.Narrowed = append([]string{"A pod can leave its control group: its user may."}, said.Narrowed...)
	}
	said.Enforced = append([]string{fmt.Sprintf(
		"CPU quota, memory limit and number of processes of every node, pod and container (cgroup %s).",
		group.Version())}, said.Enforced...)
	swaps, err := os.ReadFile("/proc/swaps")
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, said, errors.Join(fmt.Errorf("this machine's swap: %w", err), group.Close())
	}
	said.Narrowed = append(said.Narrowed, swapped(group.BoundsSwap(), string(swaps))...)
	return group, said, nil
}

// swapped says of a machine with swap, as /proc/swaps has it, that a limit of memory does not hold for
// what is there.
func swapped(bounded bool, swaps string) []string {
	const heading = 1
	if bounded || strings.Count(strings.TrimSpace(swaps), "\n") < heading {
		return nil
	}
	return []string{"What a pod uses beyond its memory limit is swapped, and not OOMKilled: this kernel does not " +
		"count swap by control group."}
}

// cause leaves out the node's own paths, so that all nodes of a machine say the same sentence.
func cause(err error) error {
	var of *fs.PathError
	if errors.As(err, &of) {
		return of.Err
	}
	return err
}

var errLeft = errors.New("what an earlier life of the node left stays")

func freshGroup(name string, limits cgroup.Limits) (*cgroup.Group, error) {
	left, err := cgroup.New(name, cgroup.Limits{})
	if err != nil {
		return nil, err
	}
	if err := left.Close(); err != nil {
		return nil, fmt.Errorf("%w: %w", errLeft, err)
	}
	return cgroup.New(name, limits)
}

var errLess = errors.New("not all holds any more that held on this node before")

// holdsStill compares with the statement of an earlier life of the node, which was read when the
// node was new: nobody would see that less holds after a restart, so its start fails.
func (e enforcement) holdsStill(file string) error {
	text, err := os.ReadFile(file)
	if errors.Is(err, os.ErrNotExist) {
		return nil // it is its first
	}
	if err != nil {
		return fmt.Errorf("what held on the node: %w", err)
	}
	var before enforcement
	if err := json.Unmarshal(text, &before); err != nil {
		return fmt.Errorf("what held on the node, %s: %w", file, err)
	}
	lost, news := without(before.Enforced, e.Enforced), without(e.Narrowed, before.Narrowed)
	if len(lost) > 0 {
		return fmt.Errorf("%w: %q; now: %q", errLess, lost, news)
	}
	return nil
}

// without gives those of a list that are not in the other.
func without(list, other []string) []string {
	return slices.DeleteFunc(slices.Clone(list), func(each string) bool { return slices.Contains(other, each) })
}

func (e enforcement) write(file string) error {
	text, err := json.Marshal(e)
	if err != nil {
		return err
	}
	part := file + ".part"
	if err := os.WriteFile(part, text, 0o644); err != nil {
		return err
	}
	return syscall.Rename(part, file)
}
