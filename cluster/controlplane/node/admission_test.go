package node

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	v1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/kubernetes/pkg/kubelet/lifecycle"

	"kompute.network/devnet/controlplane/node/identity"
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

// takes is the admission of a node whose pods have its own id and may run in /srv.
func takes(t *testing.T) admission {
	t.Helper()
	file := filepath.Join(t.TempDir(), "folders.json")
	if err := os.WriteFile(file, []byte(`["/srv"]`), 0o600); err != nil {
		t.Fatal(err)
	}
	return admission{rights{why: "in a test"}, folders{handed: file}}
}

func TestAPodThatAsksForNothingSpecialIsTaken(t *testing.T) {
	pod := folderPod(func(*v1.Pod) {})
	if result := takes(t).Admit(&lifecycle.PodAdmitAttributes{Pod: pod}); !result.Admit {
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
			result := takes(t).Admit(&lifecycle.PodAdmitAttributes{Pod: folderPod(change)})
			if result.Admit || result.Reason != refusal {
				t.Fatalf("taken: %+v", result)
			}
			if !strings.HasPrefix(result.Message, field+": ") {
				t.Errorf("said %q", result.Message)
			}
		})
	}
}

func TestWhatIsAddedToAPodIsRefusedByItsName(t *testing.T) {
	yes, nobody := true, int64(identity.Ids)
	security := func(asked v1.SecurityContext) func(*v1.EphemeralContainer) {
		return func(c *v1.EphemeralContainer) { c.SecurityContext = &asked }
	}
	capabilities := func(names ...v1.Capability) func(*v1.EphemeralContainer) {
		return security(v1.SecurityContext{Capabilities: &v1.Capabilities{Add: names}})
	}
	node := takes(t)
	node.rights = rights{machine: &identity.Machine{}}
	const field = "spec.ephemeralContainers[1]."
	for name, row := range map[string]struct {
		change func(*v1.EphemeralContainer)
		told   string // the field
	}{
		"nothing":                {func(*v1.EphemeralContainer) {}, ""},
		"as kubectl debug does":  {capabilities("SYS_PTRACE"), ""},
		"another capability":     {capabilities("SYS_PTRACE", "NET_ADMIN"), field + "securityContext.capabilities.add"},
		"all of the machine":     {security(v1.SecurityContext{Privileged: &yes}), field + "securityContext.privileged"},
		"a user that no pod has": {security(v1.SecurityContext{RunAsUser: &nobody}), field + "securityContext.runAsUser"},
		"another's processes": {
			func(c *v1.EphemeralContainer) { c.TargetContainerName = "main" }, field + "targetContainerName",
		},
		"no command": {func(c *v1.EphemeralContainer) { c.Command = nil }, field + "command"},
	} {
		added := v1.EphemeralContainer{EphemeralContainerCommon: v1.EphemeralContainerCommon{
			Name: "debugger", Image: runtime.FolderImage, Command: []string{"sh"},
		}}
		row.change(&added)
		pod := folderPod(func(pod *v1.Pod) {
			pod.Name, pod.Namespace = "pod", "ns"
			pod.Spec.EphemeralContainers = []v1.EphemeralContainer{{}, added}
		})
		if !node.Admit(&lifecycle.PodAdmitAttributes{Pod: pod}).Admit {
			t.Errorf("%s: the pod itself is refused, which a restarted node is asked for again", name)
		}
		err := node.lateAdmission(one{pod})("ns", "pod", "debugger")
		if row.told == "" && err != nil || row.told != "" && (err == nil || !strings.HasPrefix(err.Error(), row.told+": ")) {
			t.Errorf("%s: %v, wanted %q", name, err, row.told)
		}
	}
}

// one is a kubelet that knows a single pod.
type one struct{ pod *v1.Pod }

func (o one) GetPodByName(namespace, name string) (*v1.Pod, bool) {
	return o.pod, namespace == o.pod.Namespace && name == o.pod.Name
}

func TestGroupsAreTakenWhereTheMachineGivesThem(t *testing.T) {
	group, beyond, user := int64(5), int64(identity.Ids), int64(identity.Ids-1)
	groups := func(pod *v1.Pod) {
		pod.Spec.SecurityContext = &v1.PodSecurityContext{
			RunAsUser: &user, FSGroup: &group, SupplementalGroups: []int64{group},
		}
	}
	tooMany := func(pod *v1.Pod) {
		pod.Spec.SecurityContext = &v1.PodSecurityContext{
			RunAsUser: &beyond, RunAsGroup: &beyond, FSGroup: &beyond, SupplementalGroups: []int64{group, beyond},
		}
		pod.Spec.Containers[0].SecurityContext = &v1.SecurityContext{RunAsUser: &beyond, RunAsGroup: &beyond}
	}
	full := takes(t)
	full.rights = rights{machine: &identity.Machine{}}
	unmapped := full
	unmapped.rights = rights{machine: &identity.Machine{Unmapped: errors.New("the disk says no")}}
	const pods, container = "spec.securityContext.", "spec.containers[0].securityContext."
	for name, row := range map[string]struct {
		node   admission
		pod    func(*v1.Pod)
		fields []string
	}{
		"all given":    {full, groups, nil},
		"not on disk":  {unmapped, groups, []string{pods + "fsGroup: the disk says no"}},
		"not by users": {takes(t), groups, []string{pods + "fsGroup: a process", pods + "supplementalGroups: a process"}},
		"ids that no pod has": {full, tooMany, []string{
			pods + "runAsUser: ", pods + "runAsGroup: ", pods + "fsGroup: ", pods + "supplementalGroups[1]: ",
			container + "runAsUser: ", container + "runAsGroup: ",
		}},
	} {
		told := row.node.unsupported(folderPod(row.pod))
		if len(told) != len(row.fields) {
			t.Errorf("%s: told %q", name, told)
			continue
		}
		for i, field := range row.fields {
			if !strings.HasPrefix(told[i], field) {
				t.Errorf("%s: told %q, wanted %q", name, told[i], field)
			}
		}
	}
}

func TestAllFaultsOfAPodAreTold(t *testing.T) {
	faults := takes(t).unsupported(folderPod(func(pod *v1.Pod) { pod.Spec.HostPID, pod.Spec.HostIPC = true, true }))
	if len(faults) != 2 {
		t.Errorf("told %q", faults)
	}
}
