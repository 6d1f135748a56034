package node

import (
	"os"
	"strings"
	"testing"

	v1 "k8s.io/api/core/v1"
	"k8s.io/kubernetes/pkg/kubelet/lifecycle"
)

func withoutSandbox(t *testing.T) admission {
	t.Helper()
	taking := takes(t)
	taking.rights = findRights(Config{Unsandboxed: true})
	return taking
}

func TestAnUnsandboxedNodeTakesWhatItsUserIs(t *testing.T) {
	uid, gid, yes := int64(os.Getuid()), int64(os.Getgid()), true
	pod := folderPod(func(p *v1.Pod) {
		p.Spec.SecurityContext = &v1.PodSecurityContext{RunAsUser: &uid, RunAsGroup: &gid}
		p.Spec.Containers[0].TerminationMessagePath = v1.TerminationMessagePathDefault
		p.Spec.Containers[0].SecurityContext = &v1.SecurityContext{
			RunAsUser: &uid, Capabilities: &v1.Capabilities{Drop: []v1.Capability{"ALL"}},
			SeccompProfile: &v1.SeccompProfile{Type: v1.SeccompProfileTypeRuntimeDefault},
		}
		p.Spec.InitContainers = []v1.Container{{Name: "first", Image: "kompute/folder", Command: []string{"true"}, TTY: yes}}
	})
	if result := withoutSandbox(t).Admit(&lifecycle.PodAdmitAttributes{Pod: pod}); !result.Admit {
		t.Errorf("refused: %s", result.Message)
	}
}

func TestWhatOnlyASandboxGivesIsRefusedByItsName(t *testing.T) {
	other, yes := int64(os.Getuid())+1, true
	first := func(change func(*v1.Container)) func(*v1.Pod) {
		return func(pod *v1.Pod) { change(&pod.Spec.Containers[0]) }
	}
	security := func(context *v1.SecurityContext) func(*v1.Pod) {
		return first(func(c *v1.Container) { c.SecurityContext = context })
	}
	ofPod := func(context *v1.PodSecurityContext) func(*v1.Pod) {
		return func(pod *v1.Pod) { pod.Spec.SecurityContext = context }
	}
	for field, change := range map[string]func(*v1.Pod){
		"spec.volumes[0] (v)": func(p *v1.Pod) {
			p.Spec.Volumes = []v1.Volume{{Name: "v", VolumeSource: v1.VolumeSource{EmptyDir: &v1.EmptyDirVolumeSource{}}}}
		},
		"spec.hostAliases": func(p *v1.Pod) { p.Spec.HostAliases = []v1.HostAlias{{IP: "127.0.0.1"}} },
		"spec.dnsConfig":   func(p *v1.Pod) { p.Spec.DNSPolicy = v1.DNSNone },
		"spec.containers[0].volumeMounts[0]": first(func(c *v1.Container) {
			c.VolumeMounts = []v1.VolumeMount{{Name: "v", MountPath: "/v"}}
		}),
		"spec.initContainers[0].volumeMounts[0]": func(p *v1.Pod) {
			p.Spec.InitContainers = []v1.Container{{VolumeMounts: []v1.VolumeMount{{Name: "v", MountPath: "/v"}}}}
		},
		"spec.containers[0].terminationMessagePath":                 first(func(c *v1.Container) { c.TerminationMessagePath = "/tmp/end" }),
		"spec.securityContext.runAsUser":                            ofPod(&v1.PodSecurityContext{RunAsUser: &other}),
		"spec.securityContext.runAsGroup":                           ofPod(&v1.PodSecurityContext{RunAsGroup: &other}),
		"spec.securityContext.fsGroup":                              ofPod(&v1.PodSecurityContext{FSGroup: &other}),
		"spec.securityContext.supplementalGroups":                   ofPod(&v1.PodSecurityContext{SupplementalGroups: []int64{1}}),
		"spec.containers[0].securityContext.runAsUser":              security(&v1.SecurityContext{RunAsUser: &other}),
		"spec.containers[0].securityContext.runAsGroup":             security(&v1.SecurityContext{RunAsGroup: &other}),
		"spec.containers[0].securityContext.readOnlyRootFilesystem": security(&v1.SecurityContext{ReadOnlyRootFilesystem: &yes}),
		"spec.containers[0].securityContext.privileged":             security(&v1.SecurityContext{Privileged: &yes}),
	} {
		result := withoutSandbox(t).Admit(&lifecycle.PodAdmitAttributes{Pod: folderPod(change)})
		if result.Admit || result.Reason != refusal || !strings.Contains(result.Message, field+": ") {
			t.Errorf("%s: %+v", field, result)
		}
	}
}

func TestWhatIsAddedToAnUnsandboxedPodIsRefusedToo(t *testing.T) {
	yes := true
	pod := folderPod(func(p *v1.Pod) {
		p.Spec.EphemeralContainers = []v1.EphemeralContainer{{EphemeralContainerCommon: v1.EphemeralContainerCommon{
			Name: "debugger", SecurityContext: &v1.SecurityContext{ReadOnlyRootFilesystem: &yes},
		}}}
	})
	told := withoutSandbox(t).unsupportedLater(pod, "debugger")
	if len(told) != 1 || !strings.Contains(told[0], "spec.ephemeralContainers[0].securityContext.readOnlyRootFilesystem: ") {
		t.Errorf("told %q", told)
	}
}
