package node

import (
	v1 "k8s.io/api/core/v1"
	"k8s.io/klog/v2"
	kubeletconfig "k8s.io/kubernetes/pkg/kubelet/apis/config"
	"k8s.io/kubernetes/pkg/kubelet/cm"
	"k8s.io/kubernetes/pkg/kubelet/lifecycle"
	"k8s.io/utils/ptr"
)

const quotaPeriodMicroseconds = 100_000 // the kubelet's own

// resources is the container manager: the profile's figures, and which pods the node takes. The
// control groups themselves are the runtime's.
type resources struct {
	cm.ContainerManager
	capacity v1.ResourceList
}

func newResources(capacity v1.ResourceList) resources {
	return resources{cm.NewStubContainerManager(), capacity}
}

// GetDevicePluginResourceCapacity is the kubelet's last word on what the node has: by it the
// processor is exact to the thousandth of a core, which a machine of whole cores cannot say.
func (r resources) GetDevicePluginResourceCapacity() (v1.ResourceList, v1.ResourceList, []string) {
	return r.capacity.DeepCopy(), r.capacity.DeepCopy(), nil
}

func (r resources) GetCapacity(bool) v1.ResourceList { return r.capacity.DeepCopy() }

func (r resources) GetNodeAllocatableAbsolute() v1.ResourceList { return r.capacity.DeepCopy() }

func (r resources) GetAllocateResourcesPodAdmitHandler() lifecycle.PodAdmitHandler {
	return admission{}
}

// GetPodCgroupRoot is what all pods are in: for statistics the node itself.
func (r resources) GetPodCgroupRoot() string { return "/" }

func (r resources) NewPodContainerManager() cm.PodContainerManager {
	return podGroups{r.ContainerManager.NewPodContainerManager()}
}

// podGroups says what each pod's control group has: the runtime makes it by the same rule, and
// follows a resize by itself.
type podGroups struct{ cm.PodContainerManager }

// GetPodCgroupConfig has every figure, as a group has that exists: the kubelet reads them all.
func (podGroups) GetPodCgroupConfig(pod *v1.Pod, _ v1.ResourceName) (*cm.ResourceConfig, error) {
	found := cm.ResourceConfigForPod(pod, true, quotaPeriodMicroseconds, false,
		kubeletconfig.NoneMemoryReservationPolicy)
	if found.Memory == nil {
		found.Memory = ptr.To[int64](0)
	}
	if found.CPUQuota == nil || found.CPUPeriod == nil {
		found.CPUQuota, found.CPUPeriod = ptr.To[int64](-1), ptr.To[uint64](quotaPeriodMicroseconds)
	}
	return found, nil
}

func (podGroups) SetPodCgroupConfig(klog.Logger, *v1.Pod, *cm.ResourceConfig) error { return nil }
