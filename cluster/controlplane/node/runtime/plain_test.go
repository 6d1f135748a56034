package runtime

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	cri "k8s.io/cri-api/pkg/apis/runtime/v1"
	criclient "k8s.io/cri-client/pkg"
	utilexec "k8s.io/utils/exec"

	"kompute.network/devnet/controlplane/node/cgroup"
)

const forever = "while :; do sleep 0.05; done"

func newPlainBench(t *testing.T) *bench {
	t.Helper()
	return newBenchWith(t, Options{Unsandboxed: true, Node: "node-" + newID()}, nil)
}

func TestAPlainProcessHasAFolderASessionAndNoRights(t *testing.T) {
	b := newPlainBench(t)
	id := b.create(`echo $HOME $TMPDIR $TOLD; pwd; cut -d' ' -f1,5,6 /proc/$$/stat; echo $$
		grep -E '^(CapInh|CapPrm|CapEff|NoNewPrivs|Seccomp):' /proc/self/status; id -u`,
		func(c *cri.ContainerConfig) {
			c.Envs = []*cri.KeyValue{{Key: "TOLD", Value: []byte("a word")}}
			c.WorkingDir = "/usr"
		})
	if err := b.service.StartContainer(t.Context(), id); err != nil {
		t.Fatal(err)
	}
	if status := b.ended(id); status.ExitCode != 0 || status.Reason != "Completed" {
		t.Errorf("it ended as %+v", status)
	}
	said := strings.Fields(strings.ReplaceAll(strings.Join(b.lines("main/0.log"), " "), "stdout F ", ""))
	scratch, pid := b.service.scratch(id), said[8]
	none := strings.Repeat("0", 16)
	wanted := []string{scratch, scratch, "a", "word", "/usr", pid, pid, pid, pid, "CapInh:", none, "CapPrm:", none,
		"CapEff:", none, "NoNewPrivs:", "1", "Seccomp:", "2", fmt.Sprint(os.Getuid())}
	if strings.Join(said, " ") != strings.Join(wanted, " ") {
		t.Errorf("it sees %q, wanted %q", said, wanted)
	}
}

func TestAPlainProcessIsUnfilteredOnRequest(t *testing.T) {
	b := newPlainBench(t)
	id := b.run("grep -E '^(NoNewPrivs|Seccomp):' /proc/self/status", func(c *cri.ContainerConfig) {
		c.Linux.SecurityContext.Seccomp = &cri.SecurityProfile{ProfileType: cri.SecurityProfile_Unconfined}
	})
	b.ended(id)
	if said := fmt.Sprint(b.lines("main/0.log")); said != "[stdout F NoNewPrivs:\t1 stdout F Seccomp:\t0]" {
		t.Error(said)
	}
}

func TestAPlainProcessHasItsLimitFromItsFirstInstruction(t *testing.T) {
	b := newPlainBench(t)
	id := b.run("grep '^Max data' /proc/self/limits", func(c *cri.ContainerConfig) {
		c.Linux.Resources.MemoryLimitInBytes = 64 << 20
	})
	b.ended(id)
	said := strings.Fields(strings.Join(b.lines("main/0.log"), " "))
	if wanted := fmt.Sprint(64 << 20); len(said) < 7 || said[5] != wanted || said[6] != wanted {
		t.Errorf("%q", said)
	}
}

func TestAPlainProcessIsInItsControlGroup(t *testing.T) {
	group, err := cgroup.New("kompute-test-"+newID(), cgroup.Limits{MemoryBytes: 256 << 20})
	if err != nil {
		t.Skip("no control groups: ", err)
	}
	b := newBenchWith(t, Options{Unsandboxed: true, Node: "node", Group: group}, nil)
	id := b.run("cat /proc/self/cgroup", nil)
	b.ended(id)
	if said := strings.Join(b.lines("main/0.log"), " "); !strings.Contains(said, "container-"+id) {
		t.Error(said)
	}
}

// commandLines of what lives on this machine, with the word in it.
func commandLines(word string) (found []string) {
	processes, _ := os.ReadDir("/proc")
	for _, each := range processes {
		text, err := os.ReadFile("/proc/" + each.Name() + "/cmdline")
		if err == nil && strings.Contains(string(text), word) {
			found = append(found, strings.ReplaceAll(string(text), "\x00", " "))
		}
	}
	return found
}

func TestWhatAPlainProcessLeavesEndsWithIt(t *testing.T) {
	// In its session; in another one; in another one without the mark, whose parent lives.
	leaving := "sleep 30.%[1]s & setsid sleep 31.%[1]s & (env -i /usr/bin/setsid /bin/sleep 32.%[1]s & exec sleep 33.%[1]s) & "
	for name, row := range map[string]struct {
		then string
		end  func(b *bench, id string)
	}{
		"by itself": {"until test -e $HOME/go; do sleep 0.02; done", func(b *bench, id string) {
			if err := os.WriteFile(b.service.scratch(id)+"/go", nil, 0o644); err != nil {
				b.Fatal(err)
			}
		}},
		"stopped": {"trap '' TERM; " + forever, func(b *bench, id string) {
			if err := b.service.StopContainer(b.Context(), id, 1); err != nil {
				b.Fatal(err)
			}
		}},
		"killed": {forever, func(b *bench, id string) {
			if err := b.service.StopContainer(b.Context(), id, 0); err != nil {
				b.Fatal(err)
			}
		}},
	} {
		t.Run(name, func(t *testing.T) {
			b := newPlainBench(t)
			mark := fmt.Sprint(time.Now().UnixNano())
			id := b.run(fmt.Sprintf(leaving, mark)+row.then, nil)
			b.until("started", func() bool { return len(commandLines("sleep\x003")) >= 4 && len(left(mark)) == 4 })
			row.end(b, id)
			b.ended(id)
			if still := left(mark); len(still) > 0 {
				t.Errorf("left: %q", still)
			}
		})
	}
}

// endSleep ends what the test has left on purpose.
func endSleep(mark string) {
	processes, _ := filepath.Glob("/proc/[0-9]*")
	for _, each := range processes {
		if text, err := os.ReadFile(each + "/cmdline"); err == nil && string(text) == "/bin/sleep\x0034."+mark+"\x00" {
			pid, _ := strconv.Atoi(filepath.Base(each))
			_ = syscall.Kill(pid, syscall.SIGKILL)
		}
	}
}

// left are the sleeps of that mark.
func left(mark string) (found []string) {
	for _, line := range commandLines("." + mark) {
		if strings.Contains(line, "sleep 3") && !strings.HasPrefix(line, "sh -c") && !strings.Contains(line, "setsid") {
			found = append(found, line)
		}
	}
	return found
}

func TestWhoHasLeftItsPlainContainerDoesNotHoldItOpen(t *testing.T) {
	// It is in another session, without the mark, its parents have ended, and it has the output still.
	leaves := "(env -i /usr/bin/setsid /bin/sh -c '/usr/bin/setsid /bin/sleep 34.%s &' &); sleep 0.3; %s"
	group, err := cgroup.New("kompute-test-"+newID(), cgroup.Limits{MemoryBytes: 256 << 20})
	if err != nil {
		t.Logf("without control groups: %v", err)
		group = nil
	}
	for name, row := range map[string]struct {
		then string
		stop bool
		code int32
	}{"by itself": {"echo last; exit 3", false, 3}, "stopped": {forever, true, 128 + 15}} {
		for _, in := range []*cgroup.Group{nil, group} {
			t.Run(fmt.Sprintf("%s in a group %v", name, in != nil), func(t *testing.T) {
				if in != nil {
					var err error
					if in, err = in.Child(newID(), cgroup.Limits{}); err != nil {
						t.Fatal(err)
					}
				}
				b := newBenchWith(t, Options{Unsandboxed: true, Node: "node-" + newID(), Group: in}, nil)
				mark := fmt.Sprint(time.Now().UnixNano())
				t.Cleanup(func() { endSleep(mark) })
				id := b.run(fmt.Sprintf(leaves, mark, row.then), nil)
				b.until("left", func() bool { return len(left(mark)) == 1 })
				if row.stop {
					if err := b.service.StopContainer(t.Context(), id, 5); err != nil {
						t.Error(err)
					}
				}
				status := b.ended(id)
				if status.ExitCode != row.code {
					t.Errorf("it ended as %+v", status)
				}
				if lives := strings.Contains(status.Message, "live on"); lives == (in != nil) {
					t.Errorf("it is said %q", status.Message)
				}
				if lives := len(left(mark)) == 1; lives == (in != nil) {
					t.Errorf("it lives: %v", lives)
				}
				if said := b.lines("main/0.log"); !row.stop && (len(said) != 1 || said[0] != "stdout F last") {
					t.Errorf("it printed %q", said)
				}
			})
		}
	}
	if group != nil {
		if err := group.Close(); err != nil {
			t.Error(err)
		}
	}
}

func TestOneMoreCommandBesideAPlainProcess(t *testing.T) {
	b := newPlainBench(t)
	id := b.run(forever, nil)
	out, said, err := b.service.ExecSync(t.Context(), id, []string{"sh", "-c", "echo $HOME; sleep 41.5 >/dev/null 2>&1 &"}, 0)
	if err != nil || string(out) != b.service.scratch(id)+"\n" {
		t.Errorf("%q, %q, %v", out, said, err)
	}
	var exit utilexec.CodeExitError
	_, said, err = b.service.ExecSync(t.Context(), id, []string{"sh", "-c", "echo no >&2; exit 4"}, 0)
	if !errors.As(err, &exit) || exit.Code != 4 || string(said) != "no\n" {
		t.Errorf("%v, %q", err, said)
	}
	_, said, err = b.service.ExecSync(t.Context(), id, []string{"no-such"}, 0)
	if !errors.As(err, &exit) || exit.Code != notStarted || string(said) != "no-such: no such file or directory\n" {
		t.Errorf("a program that is not there: %v, %q", err, said)
	}
	_, _, err = b.service.ExecSync(t.Context(), id, []string{"sh", "-c", "sleep 42.5; :"}, 300*time.Millisecond)
	if !errors.Is(err, criclient.ErrCommandTimedOut) {
		t.Errorf("it ended with %v", err)
	}
	b.until("gone", func() bool { return len(commandLines("sleep\x0042.5")) == 0 })
	if len(commandLines("sleep\x0041.5")) != 1 {
		t.Error("what a command left has not outlived it")
	}
	if err := b.service.StopContainer(t.Context(), id, 0); err != nil {
		t.Fatal(err)
	}
	if still := commandLines("sleep\x0041.5"); len(still) > 0 {
		t.Errorf("left: %q", still)
	}
}

func TestAPlainProgramThatIsNotThereFailsItsStart(t *testing.T) {
	b := newPlainBench(t)
	for command, said := range map[string]string{
		"no-such-program": "no-such-program: no such file", "./no-such": "./no-such: no such file", "/etc": "permission denied",
	} {
		id := b.create("", func(c *cri.ContainerConfig) { c.Command = []string{command} })
		err := b.service.StartContainer(t.Context(), id)
		if !errors.Is(err, errNotStarted) || !strings.Contains(err.Error(), said) {
			t.Errorf("said %v", err)
		}
		if status := b.status(id); status.Reason != "StartError" || status.ExitCode != 128 {
			t.Errorf("it is %+v", status)
		}
	}
	id := b.create(":", func(c *cri.ContainerConfig) { c.WorkingDir = "/no/such" })
	if err := b.service.StartContainer(t.Context(), id); err == nil || !strings.Contains(err.Error(), "its working folder /no/such: no such") {
		t.Errorf("said %v", err)
	}
}

func TestAPlainProcessHasATerminal(t *testing.T) {
	b := newPlainBench(t)
	id := b.run("test -t 0 && tty && echo on $TERM", func(c *cri.ContainerConfig) { c.Tty = true })
	b.ended(id)
	if said := strings.Join(b.lines("main/0.log"), " "); !strings.Contains(said, "/dev/pts/") || !strings.Contains(said, "on xterm") {
		t.Error(said)
	}
}

func TestAPlainProcessIsCounted(t *testing.T) {
	b := newPlainBench(t)
	id := b.run("setsid sh -c 'while :; do :; done' & wait", nil)
	b.until("counted", func() bool {
		used, ok := b.service.container(id).usage()
		return ok && used.CPUNanoseconds > 50_000_000 && used.MemoryBytes > 0 && used.Processes >= 2
	})
}

func TestANodeEndsWhatItsEarlierLifeLeftAndNothingElse(t *testing.T) {
	start := func(node string) *exec.Cmd {
		command := exec.Command("sleep", "60")
		command.Env = []string{devnetID + "=test", nodeName + "=" + node}
		if err := command.Start(); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = command.Process.Kill() })
		return command
	}
	mine, other := start("mine"), start("other")
	endLeft("test", "mine")
	_ = mine.Wait()
	if status := mine.ProcessState.Sys().(syscall.WaitStatus); status.Signal() != syscall.SIGKILL {
		t.Errorf("it ended with %v", status)
	}
	if err := other.Process.Signal(syscall.Signal(0)); err != nil {
		t.Errorf("another node's has ended: %v", err)
	}
	if found := (belongs{}).find(); len(found) > 0 {
		t.Errorf("without a mark %v belong", found)
	}
}
