package node

import (
	"fmt"

	v1 "k8s.io/api/core/v1"
	"k8s.io/klog/v2"
	"k8s.io/kubernetes/pkg/kubelet/cm"
	"k8s.io/kubernetes/pkg/kubelet/lifecycle"
	"k8s.io/utils/ptr"

	"kompute.network/devnet/controlplane/node/cgroup"
)

const quotaPeriodMicroseconds = 100_000 // the kubelet's own

// resources is the container manager: the profile's figures, and which pods the node takes. The
// control groups themselves are the runtime's.
type resources struct {
	cm.ContainerManager
	capacity v1.ResourceList
	pods     podLimits
	takes    admission
}

func newResources(capacity v1.ResourceList, pods podLimits, takes admission) resources {
	return resources{cm.NewStubContainerManager(), capacity, pods, takes}
}

// GetDevicePluginResourceCapacity is the kubelet's last word on what the node has: by it the
// processor is exact to the thousandth of a core, which a machine of whole cores cannot say.
func (r resources) GetDevicePluginResourceCapacity() (v1.ResourceList, v1.ResourceList, []string) {
	return r.capacity.DeepCopy(), r.capacity.DeepCopy(), nil
}

func (r resources) GetCapacity(bool) v1.ResourceList { return r.capacity.DeepCopy() }

func (r resources) GetNodeAllocatableAbsolute() v1.ResourceList { return r.capacity.DeepCopy() }

func (r resources) GetAllocateResourcesPodAdmitHandler() lifecycle.PodAdmitHandler {
	return r.takes
}

// GetPodCgroupRoot is what all pods are in: for statistics the node itself.
func (r resources) GetPodCgroupRoot() string { return "/" }

func (r resources) NewPodContainerManager() cm.PodContainerManager {
	return podGroups{r.ContainerManager.NewPodContainerManager(), r.pods}
}

// podGroups says what each pod's control group has, and gives it other limits when the pod is
// resized in place.
type podGroups struct {
	cm.PodContainerManager
	pods podLimits
}

// podLimits is what of the runtime it stands on.
type podLimits interface {
	PodLimits(uid string) (cgroup.Limits, bool)
	LimitPod(uid string, limits cgroup.Limits) error
}

// GetPodCgroupConfig has every figure, as a group has that exists: the kubelet reads them all.
func (g podGroups) GetPodCgroupConfig(pod *v1.Pod, _ v1.ResourceName) (*cm.ResourceConfig, error) {
	limits, ok := g.pods.PodLimits(string(pod.UID))
	if !ok {
		return nil, fmt.Errorf("pod %s/%s has no control group", pod.Namespace, pod.Name)
	}
	found := &cm.ResourceConfig{
		CPUShares: ptr.To(uint64(limits.Shares)),
		CPUQuota:  ptr.To[int64](-1),
		CPUPeriod: ptr.To[uint64](quotaPeriodMicroseconds),
		Memory:    ptr.To(limits.MemoryBytes),
	}
	if limits.QuotaMicroseconds > 0 && limits.PeriodMicroseconds > 0 {
		found.CPUQuota = ptr.To(limits.QuotaMicroseconds)
		found.CPUPeriod = ptr.To(uint64(limits.PeriodMicroseconds))
	}
	return found, nil
}

func (g podGroups) SetPodCgroupConfig(_ klog.Logger, pod *v1.Pod, wished *cm.ResourceConfig) error {
	return g.pods.LimitPod(string(pod.UID), cgroup.Limits{
		Shares:             int64(ptr.Deref(wished.CPUShares, 0)),
		QuotaMicroseconds:  ptr.Deref(wished.CPUQuota, 0),
		PeriodMicroseconds: int64(ptr.Deref(wished.CPUPeriod, quotaPeriodMicroseconds)),
		MemoryBytes:        ptr.Deref(wished.Memory, 0),
	})
}
