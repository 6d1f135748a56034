package runtime

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	cri "k8s.io/cri-api/pkg/apis/runtime/v1"

	"kompute.network/devnet/controlplane/node/identity"
)

// withIds is a bench whose pods have ids of their own.
func withIds(t *testing.T, annotations map[string]string) *bench {
	t.Helper()
	if machine == nil {
		t.Skip("pods have this process's own id here")
	}
	return newBench(t, annotations)
}

func as(uid, gid int64, groups ...int64) func(*cri.ContainerConfig) {
	return func(c *cri.ContainerConfig) {
		c.Linux.SecurityContext = &cri.LinuxContainerSecurityContext{
			RunAsUser: &cri.Int64Value{Value: uid}, RunAsGroup: &cri.Int64Value{Value: gid},
			SupplementalGroups: groups,
		}
	}
}

func TestNoProcessOfAPodIsTheMachinesRoot(t *testing.T) {
	b := withIds(t, nil)
	for _, uid := range []int64{0, 1000, identity.Ids - 1} {
		id := b.run("sleep 60 & wait", as(uid, 7))
		base := int64(b.service.sandboxes[b.pod].ids.Base)
		running := b.service.container(id).process
		b.until("its child runs", func() bool { return len(descendants(t, running.command.Process.Pid)) == 4 })
		for _, pid := range descendants(t, running.command.Process.Pid) {
			text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
			if err != nil {
				t.Fatal(err)
			}
			is := strconv.FormatInt(base+uid, 10)
			if wanted := "Uid:\t" + strings.Join([]string{is, is, is, is}, "\t"); !strings.Contains(string(text), wanted) {
				t.Errorf("user %d: process %d is not %s:\n%s", uid, pid, is, text)
			}
		}
		if status := b.status(id); status.User.Linux.Uid != uid || status.User.Linux.Gid != 7 {
			t.Errorf("told as %v", status.User)
		}
	}
}

// descendants of a process and itself: bubblewrap twice, the command, its child.
func descendants(t *testing.T, pid int) []int {
	t.Helper()
	found := []int{pid}
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/children", pid, pid))
	if err != nil {
		t.Fatal(err)
	}
	for word := range strings.FieldsSeq(string(text)) {
		child, err := strconv.Atoi(word)
		if err != nil {
			t.Fatal(err)
		}
		found = append(found, descendants(t, child)...)
	}
	return found
}

func TestAContainerIsWhoItAskedToBe(t *testing.T) {
	b := withIds(t, nil)
	id := b.run("id -u; id -g; id -G; while :; do sleep 0.1; done", as(1000, 1001, 1002, 1003))
	b.until("it has said so", func() bool { return len(b.lines("main/0.log")) == 3 })
	if got := fmt.Sprint(b.lines("main/0.log")); got != "[stdout F 1000 stdout F 1001 stdout F 1001 1002 1003]" {
		t.Errorf("it is %s", got)
	}
	out, _, err := b.service.ExecSync(t.Context(), id, []string{"sh", "-c", "id -u; id -g; id -G"}, limit)
	if string(out) != "1000\n1001\n1001 1002 1003\n" || err != nil {
		t.Errorf("another command is %q, %v", out, err)
	}
	refused := b.create("true", as(identity.Ids, 0))
	if err := b.service.StartContainer(t.Context(), refused); err == nil || !strings.Contains(err.Error(), "id 65536") {
		t.Errorf("an id that no pod has: %v", err)
	}
}

func TestStreamsCanBeOpenedByTheirNames(t *testing.T) {
	b := newBench(t, nil)
	b.ended(b.run("echo out > /dev/stdout; echo err > /dev/stderr", as(1000, 1000)))
	if got := b.lines("main/0.log"); len(got) != 2 {
		t.Errorf("printed %q", got)
	}
	null, err := os.Stat(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	if null.Mode().Perm() != 0o666 || owner(t, os.DevNull) != 0 {
		t.Errorf("the machine's %s is %v of %d", os.DevNull, null.Mode(), owner(t, os.DevNull))
	}
}

func TestFilesAreThePodsAndOnDiskTheMachines(t *testing.T) {
	b := withIds(t, nil)
	if machine.Unmapped != nil {
		t.Skip(machine.Unmapped)
	}
	volume := t.TempDir()
	if err := os.Chown(volume, -1, 4321); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(volume, 0o770|os.ModeSetgid); err != nil { // as the kubelet does for an fsGroup
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(volume, "roots"), []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	script := "echo y > /v/mine && stat -c '%u %g' /v/mine /v/roots; cat /v/roots || echo shut"
	for i, row := range []struct {
		who    func(*cri.ContainerConfig)
		wanted string
	}{
		{as(1000, 1000, 4321), "1000 4321|0 4321|shut"},
		{as(1000, 1000), "shut"},
	} {
		name := fmt.Sprintf("main/%d.log", i)
		b.ended(b.run(script, func(c *cri.ContainerConfig) {
			row.who(c)
			c.LogPath = name
			c.Mounts = []*cri.Mount{{HostPath: volume, ContainerPath: "/v"}}
		}))
		var out []string
		for _, line := range b.lines(name) {
			if said, ok := strings.CutPrefix(line, "stdout F "); ok {
				out = append(out, said)
			}
		}
		if got := strings.Join(out, "|"); got != row.wanted {
			t.Errorf("row %d: %q, wanted %q (%q)", i, got, row.wanted, b.lines(name))
		}
	}
	if uid := owner(t, filepath.Join(volume, "mine")); uid != 1000 {
		t.Errorf("on disk it is %d's", uid)
	}
}

func TestNothingStaysOnTheStage(t *testing.T) {
	b := withIds(t, nil)
	before := mounts(t)
	id := b.run("true", nil)
	b.ended(id)
	_ = b.service.StartContainer(t.Context(), b.create("", func(c *cri.ContainerConfig) {
		c.Mounts = []*cri.Mount{{HostPath: "/no/such", ContainerPath: "/v"}}
	}))
	if after := mounts(t); after != before {
		t.Errorf("%d mounts, %d before", after, before)
	}
}

func mounts(t *testing.T) int {
	t.Helper()
	text, err := os.ReadFile("/proc/self/mounts")
	if err != nil {
		t.Fatal(err)
	}
	return strings.Count(string(text), "\n")
}

func owner(t *testing.T, path string) uint32 {
	t.Helper()
	found, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	return found.Sys().(*syscall.Stat_t).Uid
}

func TestAFolderIsAskedForAgainWhenThePodStarts(t *testing.T) {
	b := newBench(t, nil)
	b.service.options.MayName = func(folder string) error {
		if folder != "/srv" {
			return fmt.Errorf("%s was not handed out", folder)
		}
		return nil
	}
	for folder, wanted := range map[string]string{
		"/srv": "", "": "", "/root": "metadata.annotations[kompute.network/folder]: /root was not handed out",
	} {
		config := &cri.PodSandboxConfig{
			Metadata: b.config.Metadata, LogDirectory: b.config.LogDirectory,
			Annotations: map[string]string{FolderAnnotation: folder},
		}
		id, err := b.service.RunPodSandbox(t.Context(), config, "")
		if err == nil {
			err = b.service.RemovePodSandbox(t.Context(), id)
		}
		if said := fmt.Sprint(err); err == nil && wanted != "" || err != nil && said != wanted {
			t.Errorf("%q: %v", folder, err)
		}
	}
}
