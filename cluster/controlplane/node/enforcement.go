package node

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
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
	said := enforcement{
		Enforced: []string{
			"A lost node's pods are killed with it.",
			"Pods have no capabilities, gain no privileges, and see neither the host's processes nor its homes.",
		},
		Narrowed: []string{
			"Disk write rate is not enforced: it bounds what is scheduled and what a performance " +
				"test may claim.",
			"Network rate is not enforced: a performance test's figure is cut at the profile's.",
			"Pods have addresses of their own, but share the host's network.",
		},
	}
	group, err := freshGroup(config.group(), limits)
	if errors.Is(err, errLeft) {
		return nil, said, err
	}
	if err != nil {
		said.Narrowed = append([]string{
			fmt.Sprintf("CPU is not limited, memory for each process by itself and processes for each container: "+
				"no control groups here (%v).", cause(err)),
		}, said.Narrowed...)
		return nil, said, nil
	}
	said.Enforced = append([]string{fmt.Sprintf(
		"CPU quota, memory limit and number of processes of every node, pod and container (cgroup %s).",
		group.Version())}, said.Enforced...)
	return group, said, nil
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
