package node

import (
	"fmt"
	"os"
	"slices"
	_ "unsafe" // for go:linkname

	v1 "k8s.io/api/core/v1"
	"k8s.io/kubernetes/pkg/volume/util/hostutil"
)

// unsandboxed is what a node says first whose pods are plain processes.
func unsandboxed() []string {
	return []string{
		fmt.Sprintf("UNSANDBOXED, as asked: pods are plain processes of user %d. They read, write and end "+
			"whatever that user may, the devnet's own keys and parts among it.", os.Getuid()),
		"Without sandboxes pods have no volumes, no users and no root of their own: what asks for one is refused.",
		"Processes of a pod are found by their session, their environment and their parents: one that has " +
			"left all of them outlives its pod.",
	}
}

// plainHost is for a kubelet that may mount nothing: no volume is mounted, so nothing has to travel.
type plainHost struct{ hostutil.HostUtils }

func (plainHost) MakeRShared(string) error { return nil }

// inUserNamespace is asked by upstream's kubelet when it may not read the kernel's log: inside of a
// user namespace it goes on without, outside it ends. The rights of an unsandboxed node are those of
// the first.
//
//go:linkname inUserNamespace github.com/moby/sys/userns.inUserNS
var inUserNamespace func() bool

func toleratesNoKernelLog() { inUserNamespace = func() bool { return true } }

// uid is whose a container's processes are that asks for nobody, by its own word.
func (r rights) uid() int64 {
	if r.plain {
		return int64(os.Getuid())
	}
	return 0
}

const plainly = "the node is unsandboxed: "

// ofPlain names what a pod could only have in a sandbox.
func (f *faults) ofPlain(pod *v1.Pod) {
	spec := &pod.Spec
	for i, volume := range spec.Volumes {
		f.when(true, fmt.Sprintf("spec.volumes[%d] (%s)", i, volume.Name), plainly+
			"there is no place for volumes (automountServiceAccountToken: false leaves out a token's)")
	}
	f.when(len(spec.HostAliases) > 0, "spec.hostAliases", plainly+"/etc/hosts is the host's")
	f.when(spec.DNSConfig != nil || spec.DNSPolicy == v1.DNSNone, "spec.dnsConfig", plainly+"/etc/resolv.conf is the host's")
	if security := spec.SecurityContext; security != nil {
		f.ofOwn("spec.securityContext.", security.RunAsUser, security.RunAsGroup)
	}
	for kind, containers := range map[string][]v1.Container{
		"initContainers": spec.InitContainers, "containers": spec.Containers,
	} {
		for i := range containers {
			f.ofPlainContainer(fmt.Sprintf("spec.%s[%d].", kind, i), &containers[i])
		}
	}
}

func (f *faults) ofPlainContainer(field string, container *v1.Container) {
	for i, mount := range container.VolumeMounts {
		f.when(true, fmt.Sprintf("%svolumeMounts[%d]", field, i), plainly+"nothing can be shown at "+mount.MountPath)
	}
	usual := []string{"", v1.TerminationMessagePathDefault}
	f.when(!slices.Contains(usual, container.TerminationMessagePath), field+"terminationMessagePath",
		plainly+"nothing can be shown at "+container.TerminationMessagePath)
	security := container.SecurityContext
	if security == nil {
		return
	}
	f.ofOwn(field+"securityContext.", security.RunAsUser, security.RunAsGroup)
	f.when(security.ReadOnlyRootFilesystem != nil && *security.ReadOnlyRootFilesystem,
		field+"securityContext.readOnlyRootFilesystem", plainly+"its root is the host's")
}

// ofOwn names ids other than the node's own.
func (f *faults) ofOwn(field string, user, group *int64) {
	f.when(user != nil && *user != int64(os.Getuid()), field+"runAsUser",
		fmt.Sprintf(plainly+"all of its pods are user %d", os.Getuid()))
	f.when(group != nil && *group != int64(os.Getgid()), field+"runAsGroup",
		fmt.Sprintf(plainly+"all of its pods are of group %d", os.Getgid()))
}
