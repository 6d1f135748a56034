package runtime

import (
	"context"
	"io/fs"
	"path/filepath"
	"syscall"

	cri "k8s.io/cri-api/pkg/apis/runtime/v1"

	"kompute.network/devnet/controlplane/node/cgroup"
)

func (s *Service) ContainerStats(_ context.Context, id string) (*cri.ContainerStats, error) {
	c := s.container(id)
	if c == nil {
		return nil, unknown("container", id)
	}
	return c.stats(), nil
}

func (s *Service) ListContainerStats(_ context.Context, filter *cri.ContainerStatsFilter) ([]*cri.ContainerStats, error) {
	s.mu.Lock()
	var asked []*container
	for _, c := range s.containers {
		if (filter.GetId() == "" || filter.GetId() == c.id) &&
			(filter.GetPodSandboxId() == "" || filter.GetPodSandboxId() == c.pod.id) &&
			selects(filter.GetLabelSelector(), c.config.Labels) {
			asked = append(asked, c)
		}
	}
	s.mu.Unlock()
	return statsOf(asked), nil
}

func (s *Service) PodSandboxStats(_ context.Context, id string) (*cri.PodSandboxStats, error) {
	pod, containers := s.pod(id)
	if pod == nil {
		return nil, unknown("pod sandbox", id)
	}
	return pod.stats(containers), nil
}

func (s *Service) ListPodSandboxStats(_ context.Context, filter *cri.PodSandboxStatsFilter) ([]*cri.PodSandboxStats, error) {
	s.mu.Lock()
	asked := map[*sandboxed][]*container{}
	for _, pod := range s.sandboxes {
		if (filter.GetId() == "" || filter.GetId() == pod.id) && pod.ready &&
			selects(filter.GetLabelSelector(), pod.config.Labels) {
			asked[pod] = nil
		}
	}
	for _, c := range s.containers {
		if _, ok := asked[c.pod]; ok {
			asked[c.pod] = append(asked[c.pod], c)
		}
	}
	s.mu.Unlock()
	var found []*cri.PodSandboxStats
	for pod, containers := range asked {
		found = append(found, pod.stats(containers))
	}
	return found, nil
}

func (s *Service) ListMetricDescriptors(context.Context) ([]*cri.MetricDescriptor, error) {
	return nil, nil
}

func (s *Service) ListPodSandboxMetrics(context.Context) ([]*cri.PodSandboxMetrics, error) {
	return nil, nil
}

func (p *sandboxed) stats(containers []*container) *cri.PodSandboxStats {
	found := &cri.PodSandboxStats{
		Attributes: &cri.PodSandboxAttributes{
			Id: p.id, Metadata: p.config.Metadata, Labels: p.config.Labels, Annotations: p.config.Annotations,
		},
		Linux: &cri.LinuxPodSandboxStats{Containers: statsOf(containers)},
	}
	if usage, ok := p.usage(containers); ok {
		found.Linux.Cpu, found.Linux.Memory = cpuOf(usage), memoryOf(usage, p.config.GetLinux().GetResources())
		found.Linux.Process = &cri.ProcessUsage{
			Timestamp: nanoseconds(), ProcessCount: &cri.UInt64Value{Value: usage.Processes},
		}
	}
	return found
}

func statsOf(containers []*container) []*cri.ContainerStats {
	var found []*cri.ContainerStats
	for _, c := range containers {
		if _, err := c.running(); err == nil {
			found = append(found, c.stats())
		}
	}
	return found
}

func (c *container) stats() *cri.ContainerStats {
	used, files := written(c.scratch)
	found := &cri.ContainerStats{
		Attributes: &cri.ContainerAttributes{
			Id: c.id, Metadata: c.config.Metadata, Labels: c.config.Labels, Annotations: c.config.Annotations,
		},
		WritableLayer: &cri.FilesystemUsage{
			Timestamp: nanoseconds(), FsId: &cri.FilesystemIdentifier{Mountpoint: c.scratch},
			UsedBytes: &cri.UInt64Value{Value: used}, InodesUsed: &cri.UInt64Value{Value: files},
		},
	}
	if usage, ok := c.usage(); ok {
		found.Cpu, found.Memory = cpuOf(usage), memoryOf(usage, c.limits())
	}
	return found
}

// usage by the pod's control group, else by its containers'.
func (p *sandboxed) usage(containers []*container) (cgroup.Usage, bool) {
	if p.group != nil {
		used, err := p.group.Usage()
		return used, err == nil // one that has ended meanwhile has none
	}
	var total cgroup.Usage
	for _, c := range containers {
		if used, ok := c.usage(); ok {
			total = sum(total, used)
		}
	}
	return total, total.Processes > 0
}

func cpuOf(usage cgroup.Usage) *cri.CpuUsage {
	return &cri.CpuUsage{
		Timestamp: nanoseconds(), UsageCoreNanoSeconds: &cri.UInt64Value{Value: usage.CPUNanoseconds},
	}
}

func memoryOf(usage cgroup.Usage, resources *cri.LinuxContainerResources) *cri.MemoryUsage {
	found := &cri.MemoryUsage{
		Timestamp:       nanoseconds(),
		WorkingSetBytes: &cri.UInt64Value{Value: usage.WorkingSetBytes},
		UsageBytes:      &cri.UInt64Value{Value: usage.MemoryBytes},
		RssBytes:        &cri.UInt64Value{Value: usage.RSSBytes},
		PageFaults:      &cri.UInt64Value{Value: usage.PageFaults},
		MajorPageFaults: &cri.UInt64Value{Value: usage.MajorPageFaults},
	}
	if limit := resources.GetMemoryLimitInBytes(); limit > 0 {
		left := uint64(limit) - min(uint64(limit), usage.WorkingSetBytes)
		found.AvailableBytes = &cri.UInt64Value{Value: left}
	}
	return found
}

// written is how many bytes of disk and files a container has written outside of its volumes.
func written(folder string) (used, files uint64) {
	_ = filepath.WalkDir(folder, func(_ string, entry fs.DirEntry, err error) error {
		if err != nil {
			return nil // gone meanwhile
		}
		info, err := entry.Info()
		if err != nil {
			return nil
		}
		files++
		if stat, ok := info.Sys().(*syscall.Stat_t); ok {
			used += uint64(stat.Blocks) * 512
		}
		return nil
	})
	return used, files
}
