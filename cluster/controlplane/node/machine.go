package node

import (
	"context"
	"fmt"
	"os"
	"strings"
	"syscall"
	"time"

	cadvisor "github.com/google/cadvisor/info/v1"
	cadvisor2 "github.com/google/cadvisor/info/v2"
	v1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	kubeletcadvisor "k8s.io/kubernetes/pkg/kubelet/cadvisor"

	"kompute.network/devnet/controlplane/node/cgroup"
)

// A node that has done nothing yet has still done something: metrics-server drops one with a zero.
const leastCPU, leastMemory = 1_000, 4_096

// machine is what the kubelet sees instead of the host: as large as the profile says, with the
// usage of the node alone.
type machine struct {
	config Config
	usage  func() (cgroup.Usage, error)
	files  *ownFiles // counted where the node has no disk of its own
	boot   string    // another after each start: to Kubernetes the machine was booted
}

var _ kubeletcadvisor.Interface = machine{}

func newMachine(config Config, usage func() (cgroup.Usage, error)) machine {
	return machine{
		config, usage, &ownFiles{folder: config.Folder},
		fmt.Sprintf("%s-%d", config.Node, time.Now().UnixNano()),
	}
}

func (machine) Start() error { return nil }

// MachineInfo has whole cores, rounded up: the exact figure is the container manager's.
func (m machine) MachineInfo() (*cadvisor.MachineInfo, error) {
	cpu, memory := m.config.quantity(v1.ResourceCPU), m.config.quantity(v1.ResourceMemory)
	return &cadvisor.MachineInfo{
		NumCores:       int(cpu.Value()),
		MemoryCapacity: uint64(memory.Value()),
		MachineID:      m.config.Node,
		SystemUUID:     m.config.DevnetID + "-" + m.config.Node,
		BootID:         m.boot,
		Timestamp:      time.Now(),
	}, nil
}

func (machine) VersionInfo() (*cadvisor.VersionInfo, error) {
	release, err := os.ReadFile("/proc/sys/kernel/osrelease")
	if err != nil {
		return nil, err
	}
	return &cadvisor.VersionInfo{
		KernelVersion:      strings.TrimSpace(string(release)),
		ContainerOsVersion: "Kompute devnet",
	}, nil
}

// ContainerInfoV2 knows the node as a whole, by the name "/"; its pods are told by the runtime.
func (m machine) ContainerInfoV2(
	name string, _ cadvisor2.RequestOptions,
) (map[string]cadvisor2.ContainerInfo, error) {
	if name != "/" {
		return nil, fmt.Errorf("no control group %q is looked at", name)
	}
	usage, err := m.usage()
	if err != nil {
		return nil, fmt.Errorf("usage of the node: %w", err)
	}
	usage.CPUNanoseconds = max(usage.CPUNanoseconds, leastCPU)
	usage.WorkingSetBytes = max(usage.WorkingSetBytes, leastMemory)
	memory := m.config.quantity(v1.ResourceMemory)
	return map[string]cadvisor2.ContainerInfo{name: {
		Spec: cadvisor2.ContainerSpec{
			HasCpu: true, HasMemory: true, HasProcesses: true,
			Memory: cadvisor2.MemorySpec{Limit: uint64(memory.Value())},
		},
		Stats: []*cadvisor2.ContainerStats{{
			Timestamp: time.Now(),
			Cpu:       &cadvisor.CpuStats{Usage: cadvisor.CpuUsage{Total: usage.CPUNanoseconds}},
			Memory: &cadvisor.MemoryStats{
				Usage: usage.MemoryBytes, WorkingSet: usage.WorkingSetBytes, RSS: usage.RSSBytes,
			},
			Processes: &cadvisor.ProcessStats{ProcessCount: usage.Processes},
		}},
	}}, nil
}

func (machine) GetRequestedContainersInfo(
	string, cadvisor2.RequestOptions,
) (map[string]*cadvisor.ContainerInfo, error) {
	return map[string]*cadvisor.ContainerInfo{}, nil
}

func (m machine) ImagesFsInfo(context.Context) (cadvisor2.FsInfo, error) { return m.RootFsInfo() }

func (m machine) ContainerFsInfo(context.Context) (cadvisor2.FsInfo, error) { return m.RootFsInfo() }

func (m machine) GetDirFsInfo(string) (cadvisor2.FsInfo, error) { return m.RootFsInfo() }

// RootFsInfo is a disk of the profile's size: the node's own file system, else the host's with the
// node's own files on it, and no more room than the host has.
func (m machine) RootFsInfo() (cadvisor2.FsInfo, error) {
	found, err := fileSystem(m.config.onDisk())
	if err != nil {
		return cadvisor2.FsInfo{}, err
	}
	used := (found.Blocks - found.Bfree) * uint64(found.Bsize)
	if m.config.disk == "" {
		if used, err = m.files.usedBytes(); err != nil {
			return cadvisor2.FsInfo{}, err
		}
	}
	size := m.config.quantity(v1.ResourceEphemeralStorage)
	capacity := uint64(size.Value())
	left := capacity - min(used, capacity)
	return cadvisor2.FsInfo{
		Timestamp: time.Now(), Device: "node", Mountpoint: m.config.onDisk(),
		Capacity: capacity, Available: min(found.Bavail*uint64(found.Bsize), left),
		Usage: used, Inodes: &found.Files, InodesFree: &found.Ffree,
	}, nil
}

func fileSystem(folder string) (found syscall.Statfs_t, err error) {
	if err := syscall.Statfs(folder, &found); err != nil {
		return found, fmt.Errorf("file system of the node: %w", err)
	}
	return found, nil
}

// sizesDisk tells whether the profile says how large its disk is.
func (c Config) sizesDisk() bool {
	_, said := c.Capacity[v1.ResourceEphemeralStorage]
	return said
}

// completeDisk gives a node whose profile says nothing of its disk the host's: a kubelet is not
// Ready without one.
func (c *Config) completeDisk() error {
	if c.sizesDisk() {
		return nil
	}
	if err := os.MkdirAll(c.Folder, 0o700); err != nil {
		return err
	}
	host, err := fileSystem(c.Folder)
	if err != nil {
		return err
	}
	c.Capacity = c.Capacity.DeepCopy()
	size := int64(host.Blocks) * host.Bsize
	c.Capacity[v1.ResourceEphemeralStorage] = *resource.NewQuantity(size, resource.BinarySI)
	return nil
}
