package node

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	v1 "k8s.io/api/core/v1"
	"k8s.io/kubernetes/pkg/kubelet/lifecycle"

	"kompute.network/devnet/controlplane/node/runtime"
)

const refusal = "UnsupportedField"

// admission fails the pods that ask for what a node of processes cannot give, with the field's name:
// nothing that a pod asks for is left out in silence.
type admission struct {
	rights  rights
	folders folders
}

func (a admission) Admit(attributes *lifecycle.PodAdmitAttributes) lifecycle.PodAdmitResult {
	faults := a.unsupported(attributes.Pod)
	if len(faults) == 0 {
		return lifecycle.PodAdmitResult{Admit: true}
	}
	return lifecycle.PodAdmitResult{Reason: refusal, Message: strings.Join(faults, "; ")}
}

// unsupported names every field of the pod that cannot be given, and why.
func (a admission) unsupported(pod *v1.Pod) []string {
	faults := faults{admission: a}
	faults.of(pod)
	if a.rights.plain {
		faults.ofPlain(pod)
	}
	for i := range pod.Spec.Volumes {
		faults.ofVolume(fmt.Sprintf("spec.volumes[%d]", i), &pod.Spec.Volumes[i])
	}
	for i := range pod.Spec.InitContainers {
		faults.ofContainer(fmt.Sprintf("spec.initContainers[%d]", i), pod, &pod.Spec.InitContainers[i])
	}
	for i := range pod.Spec.Containers {
		faults.ofContainer(fmt.Sprintf("spec.containers[%d]", i), pod, &pod.Spec.Containers[i])
	}
	return faults.told
}

// unsupportedLater names what of an ephemeral container cannot be given: it is added to a pod that
// was taken without it.
func (a admission) unsupportedLater(pod *v1.Pod, container string) []string {
	faults := faults{admission: a}
	for i := range pod.Spec.EphemeralContainers {
		added := &pod.Spec.EphemeralContainers[i]
		if added.Name != container {
			continue
		}
		field := fmt.Sprintf("spec.ephemeralContainers[%d]", i)
		common := v1.Container(added.EphemeralContainerCommon)
		faults.ofContainer(field, pod, traced(common))
		if a.rights.plain {
			faults.ofPlainContainer(field+".", &common)
		}
		faults.when(added.TargetContainerName != "", field+".targetContainerName",
			"each container has processes of its own")
	}
	return faults.told
}

// lateAdmission is asked before a container is started.
func (a admission) lateAdmission(pods knownPods) func(namespace, pod, container string) error {
	return func(namespace, name, container string) error {
		pod, known := pods.GetPodByName(namespace, name)
		if !known {
			return nil // gone meanwhile: it is ended
		}
		if told := a.unsupportedLater(pod, container); len(told) > 0 {
			return errors.New(strings.Join(told, "; "))
		}
		return nil
	}
}

// knownPods is what of the kubelet that stands on.
type knownPods interface {
	GetPodByName(namespace, name string) (*v1.Pod, bool)
}

// traced leaves out the capability that `kubectl debug` asks for by itself: it may trace processes,
// and whoever is a container's may trace all that are there without it.
func traced(container v1.Container) *v1.Container {
	if security := container.SecurityContext; security != nil && security.Capabilities != nil {
		container.SecurityContext = security.DeepCopy()
		container.SecurityContext.Capabilities.Add = slices.DeleteFunc(
			slices.Clone(security.Capabilities.Add),
			func(asked v1.Capability) bool { return asked == "SYS_PTRACE" })
	}
	return &container
}

type faults struct {
	admission
	told []string
}

func (f *faults) when(asked bool, field, why string) {
	if asked {
		f.told = append(f.told, field+": "+why)
	}
}

func (f *faults) of(pod *v1.Pod) {
	spec := &pod.Spec
	f.when(spec.HostPID, "spec.hostPID", "the host's processes are not the node's")
	f.when(spec.HostIPC, "spec.hostIPC", "the host's memory is not the node's")
	f.when(spec.ShareProcessNamespace != nil && *spec.ShareProcessNamespace,
		"spec.shareProcessNamespace", "each container has processes of its own")
	f.when(spec.HostUsers != nil && !*spec.HostUsers,
		"spec.hostUsers", "the user namespace is not the pod's to choose")
	security := spec.SecurityContext
	if security == nil {
		return
	}
	const field = "spec.securityContext."
	f.when(len(security.Sysctls) > 0, field+"sysctls", "the kernel is the host's")
	f.ofUsers(field, security)
	f.when(security.SELinuxOptions != nil, field+"seLinuxOptions", "labels are not set")
	f.when(localProfile(security.SeccompProfile), field+"seccompProfile", "profiles of a file are not loaded")
	f.when(confined(security.AppArmorProfile), field+"appArmorProfile", "profiles are not loaded")
}

func (f *faults) ofContainer(field string, pod *v1.Pod, container *v1.Container) {
	if container.Image == runtime.FolderImage || container.Image == runtime.FolderImage+":latest" {
		f.ofFolder(field, container.Image, pod.Annotations[runtime.FolderAnnotation])
		f.when(len(container.Command)+len(container.Args) == 0, field+".command",
			"a folder has no command of its own")
	}
	for i, port := range container.Ports {
		f.when(port.HostPort != 0 && port.HostPort != port.ContainerPort,
			fmt.Sprintf("%s.ports[%d].hostPort", field, i), "no port of the host leads to a pod")
	}
	f.when(len(container.VolumeDevices) > 0, field+".volumeDevices", "there are no block devices")
	for i, mount := range container.VolumeMounts {
		f.when(mount.MountPropagation != nil && *mount.MountPropagation != v1.MountPropagationNone,
			fmt.Sprintf("%s.volumeMounts[%d].mountPropagation", field, i), "mounts do not travel")
	}
	for name := range container.Resources.Limits {
		f.when(strings.HasPrefix(string(name), v1.ResourceHugePagesPrefix),
			field+".resources.limits["+string(name)+"]", "there are no huge pages")
	}
	security := container.SecurityContext
	if security == nil {
		return
	}
	field += ".securityContext."
	f.ofID(field+"runAsUser", security.RunAsUser)
	f.ofID(field+"runAsGroup", security.RunAsGroup)
	f.when(security.Privileged != nil && *security.Privileged, field+"privileged",
		"containers have no capabilities")
	if security.Capabilities != nil {
		f.when(len(security.Capabilities.Add) > 0, field+"capabilities.add",
			"containers have no capabilities")
	}
	f.when(security.ProcMount != nil && *security.ProcMount != v1.DefaultProcMount,
		field+"procMount", "only Default")
	f.when(security.SELinuxOptions != nil, field+"seLinuxOptions", "labels are not set")
	f.when(localProfile(security.SeccompProfile), field+"seccompProfile", "profiles of a file are not loaded")
	f.when(confined(security.AppArmorProfile), field+"appArmorProfile", "profiles are not loaded")
}

func (f *faults) ofVolume(field string, volume *v1.Volume) {
	source := volume.VolumeSource
	given := source.EmptyDir != nil || source.ConfigMap != nil || source.Secret != nil ||
		source.DownwardAPI != nil || source.Projected != nil
	f.when(!given, field+" ("+volume.Name+")", "a node of processes has emptyDir, configMap, secret, downwardAPI and projected volumes")
	if source.EmptyDir != nil {
		media := []v1.StorageMedium{v1.StorageMediumDefault, v1.StorageMediumMemory}
		f.when(!slices.Contains(media, source.EmptyDir.Medium), field+".emptyDir.medium", "there are no huge pages")
	}
}

func localProfile(profile *v1.SeccompProfile) bool {
	return profile != nil && profile.Type == v1.SeccompProfileTypeLocalhost
}

func confined(profile *v1.AppArmorProfile) bool {
	return profile != nil && profile.Type == v1.AppArmorProfileTypeLocalhost
}
