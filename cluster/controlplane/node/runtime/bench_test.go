package runtime

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	cri "k8s.io/cri-api/pkg/apis/runtime/v1"

	"kompute.network/devnet/controlplane/node/cgroup"
)

const limit = 20 * time.Second

// bench is a runtime with one pod.
type bench struct {
	*testing.T
	service *Service
	pod     string
	config  *cri.PodSandboxConfig
	changed chan string
}

// newBench needs bubblewrap: of the variable, else of PATH.
func newBench(t *testing.T, annotations map[string]string) *bench {
	t.Helper()
	group, err := cgroup.New("kompute-test-"+newID(), cgroup.Limits{MemoryBytes: 256 << 20})
	if err != nil {
		t.Logf("without control groups: %v", err)
		group = nil
	}
	return newBenchIn(t, group, annotations)
}

func newBenchIn(t *testing.T, group *cgroup.Group, annotations map[string]string) *bench {
	t.Helper()
	bubblewrap := os.Getenv("KOMPUTE_BUBBLEWRAP")
	if bubblewrap == "" {
		found, err := exec.LookPath("bwrap")
		if err != nil {
			t.Skip("no bubblewrap: set KOMPUTE_BUBBLEWRAP")
		}
		bubblewrap = found
	}
	return newBenchWith(t, Options{Bubblewrap: bubblewrap, Group: group, Machine: machine}, annotations)
}

func newBenchWith(t *testing.T, options Options, annotations map[string]string) *bench {
	t.Helper()
	options.Folder, options.Path, options.DevnetID = t.TempDir(), "/usr/bin:/bin", "test"
	options.PodPids = 64
	group := options.Group
	service, err := New(options)
	if err != nil {
		t.Fatal(err)
	}
	b := &bench{T: t, service: service, changed: make(chan string, 100)}
	service.OnChange(func(uid string) { b.changed <- uid })
	b.config = &cri.PodSandboxConfig{
		Metadata: &cri.PodSandboxMetadata{Name: "pod", Uid: "uid-1", Namespace: "ns"},
		Hostname: "pod", LogDirectory: filepath.Join(t.TempDir(), "logs"), Annotations: annotations,
	}
	if b.pod, err = service.RunPodSandbox(t.Context(), b.config, ""); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := service.RemovePodSandbox(context.Background(), b.pod); err != nil {
			t.Error(err)
		}
		if group != nil {
			if err := group.Close(); err != nil {
				t.Error(err)
			}
		}
	})
	return b
}

func (b *bench) create(script string, change func(*cri.ContainerConfig)) string {
	b.Helper()
	config := &cri.ContainerConfig{
		Metadata: &cri.ContainerMetadata{Name: "main"}, Image: &cri.ImageSpec{Image: FolderImage},
		Command: []string{"sh", "-c", script}, LogPath: "main/0.log",
		Linux: &cri.LinuxContainerConfig{
			Resources:       &cri.LinuxContainerResources{},
			SecurityContext: &cri.LinuxContainerSecurityContext{},
		},
	}
	if err := os.MkdirAll(filepath.Join(b.config.LogDirectory, "main"), 0o755); err != nil {
		b.Fatal(err)
	}
	if change != nil {
		change(config)
	}
	id, err := b.service.CreateContainer(b.Context(), b.pod, config, b.config)
	if err != nil {
		b.Fatal(err)
	}
	return id
}

func (b *bench) run(script string, change func(*cri.ContainerConfig)) string {
	b.Helper()
	id := b.create(script, change)
	if err := b.service.StartContainer(b.Context(), id); err != nil {
		b.Fatal(err)
	}
	return id
}

func (b *bench) status(id string) *cri.ContainerStatus {
	b.Helper()
	answer, err := b.service.ContainerStatus(b.Context(), id, false)
	if err != nil {
		b.Fatal(err)
	}
	return answer.Status
}

func (b *bench) ended(id string) *cri.ContainerStatus {
	b.Helper()
	select {
	case <-b.service.container(id).done:
	case <-time.After(limit):
		b.Fatalf("it runs still: %+v", b.status(id))
	}
	return b.status(id)
}

// lines of the log without their times.
func (b *bench) lines(name string) []string {
	b.Helper()
	text, err := os.ReadFile(filepath.Join(b.config.LogDirectory, name))
	if err != nil {
		b.Fatal(err)
	}
	var found []string
	for line := range strings.Lines(string(text)) {
		_, rest, _ := strings.Cut(line, " ")
		found = append(found, strings.TrimSuffix(rest, "\n"))
	}
	return found
}

func (b *bench) until(what string, holds func() bool) {
	b.Helper()
	for end := time.Now().Add(limit); !holds(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			b.Fatalf("not %s within %s", what, limit)
		}
	}
}
