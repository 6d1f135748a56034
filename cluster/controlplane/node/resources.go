package node

import (
	v1 "k8s.io/api/core/v1"
	"k8s.io/kubernetes/pkg/kubelet/cm"
	"k8s.io/kubernetes/pkg/kubelet/lifecycle"
)

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
