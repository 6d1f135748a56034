package runtime

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"kompute.network/devnet/controlplane/node/cgroup"
	"kompute.network/devnet/controlplane/node/sandbox"
)

const (
	argumentsFD, statusFD, blockFD = 3, 4, 5
	pidsFD, ownerFD, usersFD       = 6, 7, 8

	executeLimit = 10 * time.Second
	executePause = time.Millisecond
	notStarted   = 127 // as a shell says it of a program that is not there
)

// errNotStarted: bubblewrap ended before the command did its first instruction; it has said why on
// the command's stderr.
var errNotStarted = errors.New("the command could not be started")

// stdio of a process: the child's ends, closed here once it has them.
type stdio struct{ in, out, err *os.File }

// process is one bubblewrap with the command in it.
type process struct {
	command *exec.Cmd
	first   int // the first process of the sandbox, in the host's numbers
	status  *os.File
	done    chan struct{}

	// Once done is closed:
	exitCode int
	executed bool // whether the command itself ran, and not only bubblewrap
}

// launch starts the command in a sandbox of its own, or in that of `inside`. The command runs from
// its first instruction inside the control group.
func (s *Service) launch(
	spec sandbox.Spec, group *cgroup.Group, oomScore int64, files stdio, inside *process,
) (*process, error) {
	defer files.close()
	options, command := spec.Arguments(), spec.Command
	extra := make([]*os.File, 0, 6)
	defer func() {
		for _, each := range extra {
			_ = each.Close()
		}
	}()
	var namespaces []*os.File
	if inside != nil {
		var nested bool
		var err error
		if namespaces, nested, err = inside.namespaces(); err != nil {
			return nil, err
		}
		options = spec.Joining(pidsFD, ownerFD, usersFD, nested)
	}
	arguments, err := memoryFile(strings.Join(options, "\x00") + "\x00")
	if err != nil {
		return nil, err
	}
	extra = append(extra, arguments)
	told, telling, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	blocked, release, err := os.Pipe()
	if err != nil {
		return nil, errors.Join(err, told.Close(), telling.Close())
	}
	extra = append(append(extra, telling, blocked), namespaces...)
	defer release.Close()

	bwrap := exec.Command(s.options.Bubblewrap,
		"--args", strconv.Itoa(argumentsFD), "--json-status-fd", strconv.Itoa(statusFD),
		"--block-fd", strconv.Itoa(blockFD))
	if !spec.Unconfined {
		filter, err := memoryFile(string(s.filter))
		if err != nil {
			return nil, errors.Join(err, told.Close())
		}
		bwrap.Args = append(bwrap.Args, "--seccomp", strconv.Itoa(argumentsFD+len(extra)))
		extra = append(extra, filter)
	}
	bwrap.Args = append(append(bwrap.Args, "--"), command...)
	bwrap.Env = []string{devnetID + "=" + s.options.DevnetID}
	bwrap.ExtraFiles = extra
	bwrap.Stdin, bwrap.Stdout, bwrap.Stderr = files.in, files.out, files.err
	bwrap.SysProcAttr = &syscall.SysProcAttr{Setpgid: !spec.Terminal}
	if spec.Terminal {
		bwrap.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	}
	if err := s.forker.start(bwrap); err != nil {
		return nil, errors.Join(fmt.Errorf("bubblewrap: %w", err), told.Close())
	}
	// Its end is seen only once nobody here holds the other end.
	_ = telling.Close()
	started := &process{command: bwrap, status: told, done: make(chan struct{})}
	statements := json.NewDecoder(told)
	var birth struct {
		Child int `json:"child-pid"`
	}
	birthErr := statements.Decode(&birth)
	started.first = birth.Child
	go started.wait(statements)
	if birthErr != nil {
		<-started.done
		return started, errNotStarted
	}
	for _, pid := range []int{bwrap.Process.Pid, started.first} {
		score := strconv.FormatInt(oomScore, 10)
		// Whom the kernel ends first; a user may only raise it.
		_ = os.WriteFile(fmt.Sprintf("/proc/%d/oom_score_adj", pid), []byte(score), 0o644)
		if group == nil {
			continue
		}
		if err := group.Join(pid); err != nil {
			started.kill()
			<-started.done
			return started, err
		}
	}
	_, err = release.Write([]byte{1})
	return started, err
}

// wait follows bubblewrap to its end.
func (p *process) wait(statements *json.Decoder) {
	defer close(p.done)
	_ = p.command.Wait()
	p.exitCode = p.command.ProcessState.ExitCode()
	if signalled, ok := p.command.ProcessState.Sys().(syscall.WaitStatus); ok && signalled.Signaled() {
		p.exitCode, p.executed = 128+int(signalled.Signal()), true
	}
	var last struct {
		ExitCode *int `json:"exit-code"`
	}
	for statements.Decode(&last) == nil {
		if last.ExitCode != nil {
			p.executed = true
		}
	}
	_ = p.status.Close()
}

// awaitExecuted returns once the command runs, or has run; errNotStarted when it never will.
func (p *process) awaitExecuted() error {
	own, _ := os.Stat(p.command.Path)
	for end := time.Now().Add(executeLimit); time.Now().Before(end); {
		if pid := p.main(); pid != 0 {
			program, err := os.Stat(fmt.Sprintf("/proc/%d/exe", pid))
			if err == nil && !os.SameFile(own, program) {
				return nil
			}
		}
		select {
		case <-p.done:
			if p.executed {
				return nil
			}
			return errNotStarted
		case <-time.After(executePause):
		}
	}
	return fmt.Errorf("bubblewrap has not started the command in %s", executeLimit)
}

// main is the command's own process in the host's numbers, 0 while there is none: the first one of
// the sandbox is bubblewrap's, which reaps orphans.
func (p *process) main() int {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/children", p.first, p.first))
	if err != nil {
		return 0
	}
	for word := range strings.FieldsSeq(string(text)) {
		pid, _ := strconv.Atoi(word)
		return pid
	}
	return 0
}

// signal goes to the command alone, as Kubernetes has it.
func (p *process) signal(number syscall.Signal) {
	if pid := p.main(); pid != 0 {
		_ = syscall.Kill(pid, number)
	}
}

// kill ends all of the sandbox: the kernel ends a pid namespace with its first process.
func (p *process) kill() {
	if p.first != 0 {
		_ = syscall.Kill(p.first, syscall.SIGKILL)
		return
	}
	_ = p.command.Process.Kill()
}

// end is for a command inside another's sandbox, whose first process is not its own.
func (p *process) end() { _ = p.command.Process.Kill() }

// namespaces gives descriptors of the pid namespace, of the user namespace that owns it and of the
// one the command is in, which is another (nested) where it has a uid other than 0.
func (p *process) namespaces() (files []*os.File, nested bool, err error) {
	pids, err := os.Open(fmt.Sprintf("/proc/%d/ns/pid", p.first))
	if err != nil {
		return nil, false, err
	}
	users, err := os.Open(fmt.Sprintf("/proc/%d/ns/user", p.first))
	if err != nil {
		return nil, false, errors.Join(err, pids.Close())
	}
	descriptor, err := unix.IoctlRetInt(int(pids.Fd()), unix.NS_GET_USERNS)
	if err != nil {
		return nil, false, errors.Join(fmt.Errorf("owner of a pid namespace: %w", err), pids.Close(), users.Close())
	}
	owner := os.NewFile(uintptr(descriptor), "owner")
	one, _ := users.Stat()
	other, _ := owner.Stat()
	return []*os.File{pids, owner, users}, !os.SameFile(one, other), nil
}

func (s stdio) close() {
	for _, file := range []*os.File{s.in, s.out, s.err} {
		if file != nil {
			_ = file.Close()
		}
	}
}

// memoryFile holds `content` in no file system, to be read from its beginning.
func memoryFile(content string) (*os.File, error) {
	descriptor, err := unix.MemfdCreate("kompute", unix.MFD_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("a file in memory: %w", err)
	}
	file := os.NewFile(uintptr(descriptor), "memory")
	if _, err := file.WriteString(content); err != nil {
		return nil, errors.Join(err, file.Close())
	}
	if _, err := file.Seek(0, io.SeekStart); err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return file, nil
}
