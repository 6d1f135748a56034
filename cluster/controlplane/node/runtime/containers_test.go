package runtime

import (
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
	"testing/synctest"
	"time"

	cri "k8s.io/cri-api/pkg/apis/runtime/v1"

	"kompute.network/devnet/controlplane/node/reserve"
)

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

// Pods share the host's network, and whoever shares it can take any name of it.
func TestWhatIsReservedIsOutOfAPodsReach(t *testing.T) {
	b := newBench(t, nil)
	if names := ownNames(t); len(names) > 0 {
		t.Errorf("names of the network stand for a pod's own: %q", names)
	}
	var files []string
	for _, kind := range []string{addresses, "pod-ids"} {
		file, err := reserve.File(kind)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, file)
	}
	b.ended(b.run("ls "+strings.Join(files, " "), nil))
	for _, line := range b.lines("main/0.log") {
		if !strings.Contains(line, "No such file") {
			t.Errorf("a pod is told %q", line)
		}
	}
}

// ownNames are those of this process in the abstract namespace of sockets.
func ownNames(t *testing.T) (found []string) {
	t.Helper()
	open, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	own := map[string]bool{}
	for _, file := range open {
		target, _ := os.Readlink("/proc/self/fd/" + file.Name())
		own[strings.TrimSuffix(strings.TrimPrefix(target, "socket:["), "]")] = true
	}
	named, err := os.ReadFile("/proc/net/unix")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(named)) {
		fields := strings.Fields(line) // the seventh is its inode, the eighth its name
		if len(fields) == 8 && own[fields[6]] && strings.HasPrefix(fields[7], "@") {
			found = append(found, fields[7])
		}
	}
	return found
}

func TestAPodOfTheHostsNetworkIsToldAsOneAndHasItsNodesAddress(t *testing.T) {
	b := newBench(t, nil)
	b.config.Linux = &cri.LinuxPodSandboxConfig{SecurityContext: &cri.LinuxSandboxSecurityContext{
		NamespaceOptions: &cri.NamespaceOption{Network: cri.NamespaceMode_NODE},
	}}
	told, err := b.service.PodSandboxStatus(t.Context(), b.pod, false)
	if err != nil {
		t.Fatal(err)
	}
	network, ip := told.Status.Linux.Namespaces.Options.Network, told.Status.Network.Ip
	if network != cri.NamespaceMode_NODE || ip != "" {
		t.Errorf("network %s, address %q", network, ip)
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

func TestWhatIsClosedStartsNothingAnew(t *testing.T) {
	b := newBench(t, nil)
	running, never := b.run("sleep 60", nil), b.create("true", nil)
	if err := b.service.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	if status := b.status(running); status.State != cri.ContainerState_CONTAINER_EXITED {
		t.Errorf("it is %v", status.State)
	}
	if err := b.service.StartContainer(t.Context(), never); !errors.Is(err, errClosing) {
		t.Errorf("a start afterwards: %v", err)
	}
}

func TestAPodHasTheVariablesOfManyServices(t *testing.T) {
	links := func(c *cri.ContainerConfig) {
		for i := range 600 {
			for _, name := range []string{
				"SERVICE_HOST", "SERVICE_PORT", "PORT", "PORT_80_TCP", "PORT_80_TCP_PROTO", "PORT_80_TCP_PORT", "PORT_80_TCP_ADDR",
			} {
				c.Envs = append(c.Envs, &cri.KeyValue{Key: fmt.Sprintf("WEB_%d_%s", i, name), Value: []byte("x y")})
			}
		}
	}
	b := newBench(t, nil)
	id := b.run("env | grep -c '^WEB_[0-9]*_[A-Z0-9_]*=x y$'; env | grep -c KOMPUTE_DEVNET_ID; while :; do sleep 0.1; done", links)
	b.until("it has said so", func() bool { return len(b.lines("main/0.log")) == 2 })
	if got := fmt.Sprint(b.lines("main/0.log")); got != "[stdout F 4200 stdout F 1]" {
		t.Errorf("it has %s", got)
	}
	out, _, err := b.service.ExecSync(t.Context(), id, []string{"sh", "-c", "env | grep -c ^WEB_"}, limit)
	if string(out) != "4200\n" || err != nil {
		t.Errorf("another command has %q, %v", out, err)
	}
	tooMany := b.create("true", func(c *cri.ContainerConfig) {
		for i := range 3000 {
			c.Envs = append(c.Envs, &cri.KeyValue{Key: fmt.Sprintf("OWN_%d", i), Value: []byte("x")})
		}
	})
	err = b.service.StartContainer(t.Context(), tooMany)
	if err == nil || !strings.Contains(err.Error(), "its environment (3006 variables)") {
		t.Errorf("said %v", err)
	}
}

func TestAnEnvironmentVariableIsNoArgumentOfTheSandbox(t *testing.T) {
	b := newBench(t, nil)
	id := b.create("true", func(c *cri.ContainerConfig) {
		c.Envs = []*cri.KeyValue{{Key: "KEY", Value: []byte("a\x00--bind\x00/\x00/mnt")}}
	})
	err := b.service.StartContainer(t.Context(), id)
	if err == nil || !strings.Contains(err.Error(), `the environment variable "KEY" has a NUL byte`) {
		t.Errorf("said %v", err)
	}
	if status := b.status(id); status.Reason != "StartError" {
		t.Errorf("it is %+v", status)
	}
}

func TestWhatIsHiddenStaysSoByAnotherName(t *testing.T) {
	root := t.TempDir()
	if err := os.MkdirAll(filepath.Join(root, "project/.devnet/keys"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(filepath.Join(root, "project"), filepath.Join(root, "link")); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"project", "link"} {
		folder := filepath.Join(root, name)
		b := newBench(t, map[string]string{FolderAnnotation: folder})
		b.service.options.Hidden = []string{filepath.Join(root, "project/.devnet")}
		b.ended(b.run("ls -A; ls -A .devnet", nil))
		if got := fmt.Sprint(b.lines("main/0.log")); got != "[stdout F .devnet]" {
			t.Errorf("by %s it sees %s", name, got)
		}
	}
}

func TestNobodyWhoHasTheNumberOfAnEndedProcessIsKilled(t *testing.T) {
	b := newBench(t, nil)
	id := b.run("exit 0", nil)
	b.ended(id)
	other := exec.Command("sh", "-c", "sleep 60 & wait")
	if err := other.Start(); err != nil {
		t.Fatal(err)
	}
	gone := make(chan error, 1)
	go func() { gone <- other.Wait() }()
	ended := b.service.container(id)
	ended.process.first = other.Process.Pid
	ended.process.signal(syscall.SIGKILL)
	ended.kill()
	if err := b.service.RemoveContainer(t.Context(), id); err != nil {
		t.Error(err)
	}
	select {
	case err := <-gone:
		t.Errorf("another process was ended: %v", err)
	case <-time.After(200 * time.Millisecond):
		_ = other.Process.Kill()
		<-gone
	}
}

func TestAPodThatDoesNotEndKeepsItsAddress(t *testing.T) {
	address, err := reserveAddress()
	if err != nil {
		t.Fatal(err)
	}
	defer address.release()
	synctest.Test(t, func(t *testing.T) {
		pod := &sandboxed{id: "one", address: address, ready: true}
		lasting := &container{id: "two", pod: pod, state: cri.ContainerState_CONTAINER_RUNNING, done: make(chan struct{})}
		service := &Service{
			sandboxes: map[string]*sandboxed{"one": pod}, containers: map[string]*container{"two": lasting},
		}
		err := service.StopPodSandbox(t.Context(), "one")
		if err == nil || !strings.Contains(err.Error(), "container two has not ended") || !pod.ready {
			t.Errorf("stopped with %v, ready %v", err, pod.ready)
		}
	})
	if _, err := reserve.Take(addresses, addressNumber(netip.MustParseAddr(address.ip))); !errors.Is(err, reserve.ErrTaken) {
		t.Errorf("its address is free: %v", err)
	}
}
