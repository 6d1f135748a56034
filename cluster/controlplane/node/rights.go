package node

import (
	"fmt"
	"os"
	"strings"

	v1 "k8s.io/api/core/v1"

	"kompute.network/devnet/controlplane/node/identity"
)

// rights is what this machine lets pods have of users and groups.
type rights struct {
	machine *identity.Machine // nil where pods have the node's own id
	why     string            // there is none
	plain   bool              // pods are plain processes, without a sandbox
}

// findRights tries it.
func findRights(config Config) rights {
	if config.Unsandboxed {
		return rights{why: "it is unsandboxed", plain: true}
	}
	if outer, single := singleID(); single {
		return rights{why: fmt.Sprintf("the node is user %s's, whom the kernel gives no others", outer)}
	}
	used := append([]string{config.Bubblewrap, config.Kubeconfig, config.CertFile, config.KeyFile,
		config.ClientCAFile, config.Enforcement}, config.Visible...)
	machine, err := identity.Try(config.onDisk(), used...)
	if err != nil {
		return rights{why: err.Error()}
	}
	return rights{machine: machine}
}

// singleID tells whose one id this process's user namespace has, where it is of one.
func singleID() (outer string, single bool) {
	text, err := os.ReadFile("/proc/self/uid_map")
	if err != nil {
		return "", false
	}
	fields := strings.Fields(string(text))
	if len(fields) == 3 && fields[2] == "1" {
		return fields[1], true
	}
	return "", false
}

// say what holds of it, each in one sentence that is the same on all nodes of a machine.
func (r rights) say(said *enforcement) {
	switch {
	case r.plain:
		return // all of it is in what an unsandboxed node says
	case r.machine == nil:
		said.Narrowed = append(said.Narrowed, fmt.Sprintf(
			"Pods have no users of their own: whatever they are called inside, they are who runs their node (%s).", r.why))
		return
	case r.machine.Unmapped != nil:
		said.Narrowed = append(said.Narrowed, "Files are not shown with a pod's own users, so fsGroup is "+
			"refused: the file system or the kernel has no id-mapped mounts.")
	}
	said.Enforced = append(said.Enforced,
		"Pods have users and groups of their own: none is root of this machine, nor anybody else of it.")
}

// ofUsers names the ids that a pod cannot be given.
func (f *faults) ofUsers(field string, security *v1.PodSecurityContext) {
	f.ofID(field+"runAsUser", security.RunAsUser)
	f.ofID(field+"runAsGroup", security.RunAsGroup)
	if f.rights.machine == nil {
		why := "a process has one group: " + f.rights.why
		f.when(security.FSGroup != nil, field+"fsGroup", why)
		f.when(len(security.SupplementalGroups) > 0, field+"supplementalGroups", why)
		return
	}
	if why := f.rights.machine.Unmapped; why != nil {
		f.when(security.FSGroup != nil, field+"fsGroup", why.Error())
	}
	f.ofID(field+"fsGroup", security.FSGroup)
	for i := range security.SupplementalGroups {
		f.ofID(fmt.Sprintf("%ssupplementalGroups[%d]", field, i), &security.SupplementalGroups[i])
	}
}

func (f *faults) ofID(field string, id *int64) {
	f.when(f.rights.machine != nil && id != nil && *id >= identity.Ids, field,
		fmt.Sprintf("a pod has the ids 0 to %d", identity.Ids-1))
}
