package runtime

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	cri "k8s.io/cri-api/pkg/apis/runtime/v1"
	criclient "k8s.io/cri-client/pkg"
	utilexec "k8s.io/utils/exec"

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
	service, err := New(Options{
		Bubblewrap: bubblewrap, Folder: t.TempDir(), Path: "/usr/bin:/bin", DevnetID: "test",
		Group: group, PodPids: 64,
	})
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

func TestAContainersLife(t *testing.T) {
	b := newBench(t, nil)
	id := b.create("echo out; exit 3", nil)
	if state := b.status(id).State; state != cri.ContainerState_CONTAINER_CREATED {
		t.Errorf("before its start it is %v", state)
	}
	if err := b.service.StartContainer(t.Context(), id); err != nil {
		t.Fatal(err)
	}
	status := b.ended(id)
	if status.ExitCode != 3 || status.Reason != "Error" || status.FinishedAt < status.StartedAt {
		t.Errorf("it ended as %+v", status)
	}
	if got := fmt.Sprint(b.lines("main/0.log")); got != "[stdout F out]" {
		t.Errorf("log: %s", got)
	}
	select {
	case uid := <-b.changed:
		if uid != "uid-1" {
			t.Errorf("changed: %s", uid)
		}
	case <-time.After(limit):
		t.Error("nobody was told")
	}
}

func TestACommandThatIsNotThereFailsItsStart(t *testing.T) {
	b := newBench(t, nil)
	id := b.create("", func(c *cri.ContainerConfig) { c.Command = []string{"no-such-program"} })
	err := b.service.StartContainer(t.Context(), id)
	if !errors.Is(err, errNotStarted) || !strings.Contains(err.Error(), "no-such-program: No such file") {
		t.Errorf("said %v", err)
	}
	status := b.status(id)
	if status.Reason != "StartError" || status.ExitCode != 128 {
		t.Errorf("it is %+v", status)
	}
}

func TestTheLogHasPartsOfLinesAndGoesOnInANewFile(t *testing.T) {
	b := newBench(t, nil)
	id := b.run("head -c 20000 /dev/zero | tr '\\0' x; echo; printf end; read go; echo later", func(c *cri.ContainerConfig) {
		c.Stdin = true
	})
	file := filepath.Join(b.config.LogDirectory, "main/0.log")
	b.until("the long line", func() bool { return len(b.lines("main/0.log")) >= 2 })
	lines := b.lines("main/0.log")
	if lines[0] != "stdout P "+strings.Repeat("x", 16384) || lines[1] != "stdout F "+strings.Repeat("x", 3616) {
		t.Errorf("parts of %d and %d bytes", len(lines[0]), len(lines[1]))
	}
	if err := os.Rename(file, file+".1"); err != nil {
		t.Fatal(err)
	}
	if err := b.service.ReopenContainerLog(t.Context(), id); err != nil {
		t.Fatal(err)
	}
	if _, err := b.service.container(id).typed.WriteString("go\n"); err != nil {
		t.Fatal(err)
	}
	b.ended(id)
	if got := fmt.Sprint(b.lines("main/0.log")); got != "[stdout F endlater]" {
		t.Errorf("the new file has %s", got)
	}
}

func (b *bench) until(what string, holds func() bool) {
	b.Helper()
	for end := time.Now().Add(limit); !holds(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			b.Fatalf("not %s within %s", what, limit)
		}
	}
}

func TestStopAsksAndThenEnds(t *testing.T) {
	for name, row := range map[string]struct {
		script string
		grace  int64
		code   int32
		signal cri.Signal
	}{
		"one that listens":     {"trap 'exit 7' TERM; echo on; while :; do sleep 0.05; done", 20, 7, 0},
		"one that does not":    {"trap '' TERM; echo on; while :; do sleep 0.05; done", 1, 137, 0},
		"by its own signal":    {"trap 'exit 9' USR1; echo on; while :; do sleep 0.05; done", 20, 9, cri.Signal_SIGUSR1},
		"without any patience": {"trap 'exit 7' TERM; echo on; while :; do sleep 0.05; done", 0, 137, 0},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, nil)
			id := b.run(row.script, func(c *cri.ContainerConfig) { c.StopSignal = row.signal })
			b.until("on", func() bool { return len(b.lines("main/0.log")) == 1 })
			if err := b.service.StopContainer(t.Context(), id, row.grace); err != nil {
				t.Fatal(err)
			}
			if status := b.status(id); status.ExitCode != row.code {
				t.Errorf("it ended with %d, wanted %d", status.ExitCode, row.code)
			}
		})
	}
}

func TestAShorterGraceNeedNotWaitForTheLongOne(t *testing.T) {
	b := newBench(t, nil)
	id := b.run("trap '' TERM; while :; do sleep 0.05; done", nil)
	ctx, cancel := context.WithCancel(t.Context())
	gaveUp := make(chan error)
	go func() { gaveUp <- b.service.StopContainer(ctx, id, 300) }()
	cancel()
	if err := <-gaveUp; !errors.Is(err, context.Canceled) {
		t.Errorf("it gave up with %v", err)
	}
	if err := b.service.StopContainer(t.Context(), id, 0); err != nil {
		t.Error(err)
	}
	if status := b.status(id); status.ExitCode != 137 {
		t.Errorf("it ended with %d", status.ExitCode)
	}
}

func TestACommandInAContainerIsInsideIt(t *testing.T) {
	for name, uid := range map[string]int64{"root": 0, "somebody": 1234} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, nil)
			id := b.run("echo here > /tmp/mark; while :; do sleep 0.05; done", func(c *cri.ContainerConfig) {
				c.Linux.SecurityContext.RunAsUser = &cri.Int64Value{Value: uid}
			})
			script := "until test -e /tmp/mark; do sleep 0.02; done; cat /tmp/mark; hostname; id -u; " +
				"test -d /proc/2 && echo beside; grep -c '0000000000000000' /proc/self/status"
			out, said, err := b.service.ExecSync(t.Context(), id, []string{"sh", "-c", script}, 0)
			if err != nil {
				t.Fatalf("%v: %s", err, said)
			}
			words := strings.Fields(string(out))
			if wanted := fmt.Sprintf("here pod %d beside", uid); strings.Join(words[:4], " ") != wanted {
				t.Errorf("it sees %q, wanted %q", out, wanted)
			}
			_, said, err = b.service.ExecSync(t.Context(), id, []string{"sh", "-c", "echo no >&2; exit 4"}, 0)
			var exit utilexec.CodeExitError
			if !errors.As(err, &exit) || exit.Code != 4 || string(said) != "no\n" {
				t.Errorf("%v, %q", err, said)
			}
			_, _, err = b.service.ExecSync(t.Context(), id, []string{"no-such"}, 0)
			if !errors.As(err, &exit) || exit.Code != notStarted {
				t.Errorf("a program that is not there: %v", err)
			}
		})
	}
}

func TestACommandBeyondItsTimeIsEnded(t *testing.T) {
	b := newBench(t, nil)
	id := b.run("while :; do sleep 0.05; done", nil)
	_, _, err := b.service.ExecSync(t.Context(), id, []string{"sleep", "31.4159"}, 300*time.Millisecond)
	if !errors.Is(err, criclient.ErrCommandTimedOut) {
		t.Errorf("it ended with %v", err)
	}
	look := []string{"sh", "-c", "cat /proc/[0-9]*/cmdline | tr '\\0' ' '"}
	b.until("gone", func() bool {
		out, _, err := b.service.ExecSync(t.Context(), id, look, 0)
		return err == nil && !bytes.Contains(out, []byte("sleep 31.4159"))
	})
}

func TestAJobReadsItsPayloadAndTellsItsMemory(t *testing.T) {
	payload := base64.StdEncoding.EncodeToString([]byte("payload"))
	b := newBench(t, map[string]string{StdinAnnotation: payload})
	status := b.ended(b.run("cat; echo", nil))
	if got := fmt.Sprint(b.lines("main/0.log")); got != "[stdout F payload]" {
		t.Errorf("it read %s", got)
	}
	if b.service.options.Group != nil && !strings.HasPrefix(status.Message, `{"memory_bytes": `) {
		t.Errorf("it says %q", status.Message)
	}
}

func TestOnlyTheKernelSaysThatMemoryRanOut(t *testing.T) {
	b := newBench(t, nil)
	if b.service.options.Group == nil {
		t.Skip("no control groups here")
	}
	small := func(c *cri.ContainerConfig) { c.Linux.Resources.MemoryLimitInBytes = 16 << 20 }
	for script, reason := range map[string]string{
		"exec dd if=/dev/zero of=/dev/null bs=64M count=1": "OOMKilled",
		"kill -9 $$": "Error",
	} {
		status := b.ended(b.run(script, small))
		if status.Reason != reason || status.ExitCode != 137 {
			t.Errorf("%s: %s, %d", script, status.Reason, status.ExitCode)
		}
	}
}

func TestNothingOfAContainerOutlivesIt(t *testing.T) {
	b := newBench(t, nil)
	id := b.run("setsid sleep 271.828 & echo on; wait", nil)
	b.until("on", func() bool { return len(b.lines("main/0.log")) == 1 })
	first := b.service.container(id).process.first
	if err := b.service.StopContainer(t.Context(), id, 0); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Kill(first, 0); err != syscall.ESRCH {
		t.Errorf("the first process: %v", err)
	}
	left, _ := exec.Command("pgrep", "-f", "sleep 271.828").Output()
	if len(left) != 0 {
		t.Errorf("left: %s", left)
	}
}

func TestAddressesAreEachPodsOwnUntilItEnds(t *testing.T) {
	b := newBench(t, nil)
	status, err := b.service.PodSandboxStatus(t.Context(), b.pod, false)
	if err != nil {
		t.Fatal(err)
	}
	ip := status.Status.Network.Ip
	if !netip.MustParsePrefix("127.64.0.0/10").Contains(netip.MustParseAddr(ip)) {
		t.Errorf("address %s", ip)
	}
	seen := map[string]bool{ip: true}
	for range 200 {
		other, err := reserveAddress()
		if err != nil {
			t.Fatal(err)
		}
		defer other.release()
		if seen[other.ip] {
			t.Errorf("%s is two pods'", other.ip)
		}
		seen[other.ip] = true
	}
}

func TestSystemCallsAreFiltered(t *testing.T) {
	for name, row := range map[string]struct {
		profile cri.SecurityProfile_ProfileType
		wanted  string
	}{
		"by default":         {cri.SecurityProfile_RuntimeDefault, "[stdout F Seccomp:\t2 stdout F refused]"},
		"unless told not to": {cri.SecurityProfile_Unconfined, "[stdout F Seccomp:\t0 stdout F made]"},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, nil)
			script := "grep Seccomp: /proc/self/status; unshare -U true 2>/dev/null && echo made || echo refused"
			b.ended(b.run(script, func(c *cri.ContainerConfig) {
				c.Linux.SecurityContext.Seccomp = &cri.SecurityProfile{ProfileType: row.profile}
			}))
			if got := fmt.Sprint(b.lines("main/0.log")); got != row.wanted {
				t.Errorf("%q", got)
			}
		})
	}
}

func TestUsageIsToldWithControlGroupsAndWithout(t *testing.T) {
	for name, make := range map[string]func(*testing.T) *bench{
		"with":    func(t *testing.T) *bench { return newBench(t, nil) },
		"without": func(t *testing.T) *bench { return newBenchIn(t, nil, nil) },
	} {
		t.Run(name, func(t *testing.T) {
			b := make(t)
			id := b.run("(i=0; while test $i -lt 200000; do i=$((i+1)); done); echo on; sleep 60", nil)
			b.until("on", func() bool { return len(b.lines("main/0.log")) == 1 })
			all, err := b.service.ListPodSandboxStats(t.Context(), &cri.PodSandboxStatsFilter{})
			if err != nil || len(all) != 1 {
				t.Fatalf("%v, %v", all, err)
			}
			own := all[0].Linux.Containers[0]
			for what, cpu := range map[string]*cri.CpuUsage{"pod": all[0].Linux.Cpu, "container": own.Cpu} {
				if used := cpu.UsageCoreNanoSeconds.Value; used < 20_000_000 || used > 10_000_000_000 {
					t.Errorf("%s: %d ns", what, used)
				}
			}
			if used := own.Memory.WorkingSetBytes.Value; used < 100_000 || used > 100_000_000 {
				t.Errorf("%d bytes", used)
			}
			before := b.service.Usage().CPUNanoseconds
			if err := b.service.StopContainer(t.Context(), id, 0); err != nil {
				t.Fatal(err)
			}
			if b.service.options.Group == nil && b.service.Usage().CPUNanoseconds < before*9/10 {
				t.Errorf("what has ended counts no more: %d of %d", b.service.Usage().CPUNanoseconds, before)
			}
		})
	}
}
