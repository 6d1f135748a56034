package node

import (
	"testing"

	v1 "k8s.io/api/core/v1"
	"k8s.io/kubernetes/pkg/kubelet/cm"
)

func TestThePodsGroupHasEveryFigure(t *testing.T) {
	groups := newResources(nil).NewPodContainerManager()
	asks := v1.ResourceList{"cpu": quantity(t, "100m"), "memory": quantity(t, "32Mi")}
	for class, row := range map[string]struct {
		resources   v1.ResourceRequirements
		cpu, memory string
	}{
		"best effort": {v1.ResourceRequirements{}, "", ""},
		"burstable":   {v1.ResourceRequirements{Requests: asks}, "", ""},
		"guaranteed":  {v1.ResourceRequirements{Requests: asks, Limits: asks}, "100m", "32Mi"},
		"memory limit alone": {
			v1.ResourceRequirements{Limits: v1.ResourceList{"memory": asks["memory"]}}, "", "32Mi",
		},
		"cpu limit alone": {v1.ResourceRequirements{Limits: v1.ResourceList{"cpu": asks["cpu"]}}, "100m", ""},
	} {
		pod := folderPod(func(pod *v1.Pod) { pod.Spec.Containers[0].Resources = row.resources })
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
