package node

import (
	"strings"
	"testing"

	v1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/kubernetes/pkg/kubelet/lifecycle"

	"kompute.network/devnet/controlplane/node/runtime"
)

func folderPod(change func(*v1.Pod)) *v1.Pod {
	pod := &v1.Pod{
		ObjectMeta: metav1.ObjectMeta{Annotations: map[string]string{runtime.FolderAnnotation: "/srv"}},
		Spec: v1.PodSpec{Containers: []v1.Container{{
			Name: "main", Image: runtime.FolderImage, Command: []string{"sh"},
		}}},
	}
	change(pod)
	return pod
}

func TestAPodThatAsksForNothingSpecialIsTaken(t *testing.T) {
	pod := folderPod(func(*v1.Pod) {})
	if result := (admission{}).Admit(&lifecycle.PodAdmitAttributes{Pod: pod}); !result.Admit {
		t.Errorf("refused: %s", result.Message)
	}
}

func TestWhatCannotBeGivenIsRefusedByItsName(t *testing.T) {
	yes, no := true, false
	bidirectional, unmasked := v1.MountPropagationBidirectional, v1.UnmaskedProcMount
	group := int64(5)
	security := func(change func(*v1.SecurityContext)) func(*v1.Pod) {
		return func(pod *v1.Pod) {
			pod.Spec.Containers[0].SecurityContext = &v1.SecurityContext{}
			change(pod.Spec.Containers[0].SecurityContext)
		}
	}
	ofPod := func(change func(*v1.PodSecurityContext)) func(*v1.Pod) {
		return func(pod *v1.Pod) {
			pod.Spec.SecurityContext = &v1.PodSecurityContext{}
			change(pod.Spec.SecurityContext)
		}
	}
	for field, change := range map[string]func(*v1.Pod){
		"metadata.annotations[kompute.network/folder]": func(p *v1.Pod) { p.Annotations = nil },
		"spec.containers[0].command":                   func(p *v1.Pod) { p.Spec.Containers[0].Command = nil },
		"spec.hostPID":                                 func(p *v1.Pod) { p.Spec.HostPID = true },
		"spec.hostIPC":                                 func(p *v1.Pod) { p.Spec.HostIPC = true },
		"spec.hostUsers":                               func(p *v1.Pod) { p.Spec.HostUsers = &no },
		"spec.shareProcessNamespace":                   func(p *v1.Pod) { p.Spec.ShareProcessNamespace = &yes },
		"spec.securityContext.fsGroup":                 ofPod(func(s *v1.PodSecurityContext) { s.FSGroup = &group }),
		"spec.securityContext.supplementalGroups": ofPod(func(s *v1.PodSecurityContext) {
			s.SupplementalGroups = []int64{group}
		}),
		"spec.securityContext.sysctls": ofPod(func(s *v1.PodSecurityContext) {
			s.Sysctls = []v1.Sysctl{{Name: "kernel.shm_rmid_forced", Value: "1"}}
		}),
		"spec.securityContext.seLinuxOptions": ofPod(func(s *v1.PodSecurityContext) {
			s.SELinuxOptions = &v1.SELinuxOptions{Level: "s0"}
		}),
		"spec.securityContext.seccompProfile": ofPod(func(s *v1.PodSecurityContext) {
			s.SeccompProfile = &v1.SeccompProfile{Type: v1.SeccompProfileTypeLocalhost}
		}),
		"spec.securityContext.appArmorProfile": ofPod(func(s *v1.PodSecurityContext) {
			s.AppArmorProfile = &v1.AppArmorProfile{Type: v1.AppArmorProfileTypeLocalhost}
		}),
		"spec.containers[0].securityContext.privileged": security(func(s *v1.SecurityContext) { s.Privileged = &yes }),
		"spec.containers[0].securityContext.capabilities.add": security(func(s *v1.SecurityContext) {
			s.Capabilities = &v1.Capabilities{Add: []v1.Capability{"NET_ADMIN"}}
		}),
		"spec.containers[0].securityContext.procMount": security(func(s *v1.SecurityContext) { s.ProcMount = &unmasked }),
		"spec.containers[0].ports[0].hostPort": func(p *v1.Pod) {
			p.Spec.Containers[0].Ports = []v1.ContainerPort{{ContainerPort: 80, HostPort: 8080}}
		},
		"spec.containers[0].volumeDevices": func(p *v1.Pod) {
			p.Spec.Containers[0].VolumeDevices = []v1.VolumeDevice{{Name: "x", DevicePath: "/dev/x"}}
		},
		"spec.containers[0].volumeMounts[0].mountPropagation": func(p *v1.Pod) {
			p.Spec.Containers[0].VolumeMounts = []v1.VolumeMount{{Name: "x", MountPropagation: &bidirectional}}
		},
		"spec.volumes[0] (host)": func(p *v1.Pod) {
			p.Spec.Volumes = []v1.Volume{{Name: "host", VolumeSource: v1.VolumeSource{
				HostPath: &v1.HostPathVolumeSource{Path: "/"},
			}}}
		},
		"spec.initContainers[0].securityContext.privileged": func(p *v1.Pod) {
			p.Spec.InitContainers = []v1.Container{{
				Name: "first", Image: runtime.FolderImage, Command: []string{"sh"},
				SecurityContext: &v1.SecurityContext{Privileged: &yes},
			}}
		},
	} {
		t.Run(field, func(t *testing.T) {
			result := (admission{}).Admit(&lifecycle.PodAdmitAttributes{Pod: folderPod(change)})
			if result.Admit || result.Reason != refusal {
				t.Fatalf("taken: %+v", result)
			}
			if !strings.HasPrefix(result.Message, field+": ") {
				t.Errorf("said %q", result.Message)
			}
		})
	}
}

func TestAllFaultsOfAPodAreTold(t *testing.T) {
	faults := unsupported(folderPod(func(pod *v1.Pod) { pod.Spec.HostPID, pod.Spec.HostIPC = true, true }))
	if len(faults) != 2 {
		t.Errorf("told %q", faults)
	}
}
