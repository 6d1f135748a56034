package node

import (
	"testing"

	v1 "k8s.io/api/core/v1"
	"k8s.io/klog/v2"
	"k8s.io/kubernetes/pkg/kubelet/cm"

	"kompute.network/devnet/controlplane/node/cgroup"
)

// given is a runtime with one pod.
type given struct{ limits cgroup.Limits }

func (g *given) PodLimits(uid string) (cgroup.Limits, bool) { return g.limits, uid == "uid-1" }

func (g *given) LimitPod(_ string, limits cgroup.Limits) error {
	g.limits = g.limits.With(limits)
	return nil
}

func TestThePodsGroupHasEveryFigure(t *testing.T) {
	pod := folderPod(func(pod *v1.Pod) { pod.UID = "uid-1" })
	for class, row := range map[string]struct {
		limits      cgroup.Limits
		cpu, memory string
	}{
		"best effort":  {cgroup.Limits{Shares: 2}, "", ""},
		"burstable":    {cgroup.Limits{Shares: 102}, "", ""},
		"quota lifted": {cgroup.Limits{Shares: 2, QuotaMicroseconds: -1, PeriodMicroseconds: 100_000}, "", ""},
		"guaranteed": {cgroup.Limits{
			Shares: 102, QuotaMicroseconds: 10_000, PeriodMicroseconds: 100_000, MemoryBytes: 32 << 20,
		}, "100m", "32Mi"},
		"memory alone": {cgroup.Limits{Shares: 2, MemoryBytes: 32 << 20}, "", "32Mi"},
	} {
		groups := newResources(nil, &given{row.limits}, admission{}).NewPodContainerManager()
		config, err := groups.GetPodCgroupConfig(pod, v1.ResourceMemory)
		if err != nil {
			t.Fatal(err)
		}
		// Upstream's own readings, which panic on a figure that is missing.
		cpu, memory := cm.CPULimitsFromConfig(config), cm.MemoryLimitsFromConfig(config)
		if cpu != nil && cpu.String() != row.cpu || cpu == nil && row.cpu != "" {
			t.Errorf("%s: cpu %v, wanted %q", class, cpu, row.cpu)
		}
		if memory != nil && memory.String() != row.memory || memory == nil && row.memory != "" {
			t.Errorf("%s: memory %v, wanted %q", class, memory, row.memory)
		}
		if cm.CPURequestsFromConfig(config) == nil {
			t.Errorf("%s: no shares", class)
		}
	}
}

func TestAResizeChangesWhatItNames(t *testing.T) {
	pod := folderPod(func(pod *v1.Pod) { pod.UID = "uid-1" })
	had := &given{cgroup.Limits{Shares: 51, QuotaMicroseconds: 5_000, PeriodMicroseconds: 100_000, MemoryBytes: 1, Pids: 256}}
	groups := newResources(nil, had, admission{}).NewPodContainerManager()
	quota := int64(8_000)
	if err := groups.SetPodCgroupConfig(klog.Background(), pod, &cm.ResourceConfig{CPUQuota: &quota}); err != nil {
		t.Fatal(err)
	}
	wanted := cgroup.Limits{Shares: 51, QuotaMicroseconds: 8_000, PeriodMicroseconds: 100_000, MemoryBytes: 1, Pids: 256}
	if had.limits != wanted {
		t.Errorf("it has %+v", had.limits)
	}
}
