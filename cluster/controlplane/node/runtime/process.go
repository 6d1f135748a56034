package runtime

import (
	"context"
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

	"kompute.network/devnet/controlplane/node/identity"
	"kompute.network/devnet/controlplane/node/sandbox"
)

const (
	argumentsFD, statusFD, blockFD = 3, 4, 5
	pidsFD, ownerFD, usersFD       = 6, 7, 8

	executeLimit = 10 * time.Second
	executePause = time.Millisecond
	// Bubblewrap takes 9000; some are beside those that are counted.
	mostArguments = 8900
	notStarted    = 127 // as a shell says it of a program that is not there
)

// errNotStarted: bubblewrap ended before the command did its first instruction; it has said why on
// the command's stderr.
var errNotStarted = errors.New("the command could not be started")

// stdio of a process: the child's ends, closed here once it has them.
type stdio struct{ in, out, err *os.File }

// process is one bubblewrap with the command in it; without a sandbox, the command itself.
type process struct {
	command *exec.Cmd
	plain   *plain // nil in a sandbox
	first   int    // the first process of the sandbox, in the host's numbers
	status  *os.File
	done    chan struct{}

	// Once done is closed:
	exitCode int
	executed bool // whether the command itself ran, and not only bubblewrap
}

// launch starts a command of the container in a sandbox of its own, or in that of `inside`. From its
// first instruction it is in the container's control group, or under its limits without one.
//
// It waits for bubblewrap no longer than executeLimit or the context lasts: the process it gives is
// killed then, and may last a while.
func (s *Service) launch(
	ctx context.Context, c *container, spec sandbox.Spec, files stdio, inside *process,
) (*process, error) {
	if s.plain != nil {
		return s.launchPlain(c, spec, files, inside != nil)
	}
	defer files.close()
	wires, err := s.wire(spec, c.who, inside)
	if err != nil {
		return nil, err
	}
	defer wires.close()
	bwrap := exec.Command(s.program, append(append(wires.options, "--"), spec.Command...)...)
	bwrap.Env = append(spec.Inherited(), devnetID+"="+s.options.DevnetID)
	bwrap.Dir = "/" // which everybody may enter
	bwrap.ExtraFiles = wires.theirs
	bwrap.Stdin, bwrap.Stdout, bwrap.Stderr = files.in, files.out, files.err
	bwrap.SysProcAttr = &syscall.SysProcAttr{Setpgid: !spec.Terminal}
	if spec.Terminal {
		bwrap.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	}
	if c.who != nil {
		bwrap.SysProcAttr.Credential = c.who.as
		if err := identity.Own(c.who.as, files.in, files.out, files.err); err != nil {
			return nil, errors.Join(fmt.Errorf("the command's streams: %w", err), wires.told.Close())
		}
	}
	if err := s.forker.start(bwrap); err != nil {
		return nil, errors.Join(fmt.Errorf("bubblewrap: %w", err), wires.told.Close())
	}
	wires.hangUp() // its end is seen only once nobody here holds the other end
	started := &process{command: bwrap, status: wires.told, done: make(chan struct{})}
	statements := json.NewDecoder(wires.told)
	var birth struct {
		Child int `json:"child-pid"`
	}
	birthErr := hear(ctx, wires.told, func() error { return statements.Decode(&birth) })
	started.first = birth.Child
	go started.wait(statements)
	if errors.Is(birthErr, errUnheard) {
		started.kill()
		return started, birthErr
	}
	if birthErr != nil {
		<-started.done
		return started, errNotStarted
	}
	if err := started.enter(c, s.options.PodPids); err != nil {
		started.kill()
		<-started.done
		return started, err
	}
	_, err = wires.release.Write([]byte{1})
	return started, err
}

var errUnheard = errors.New("bubblewrap has not made the sandbox")

// hear reads what bubblewrap says, as long as it may take.
func hear(ctx context.Context, told *os.File, read func() error) error {
	ctx, cancel := context.WithTimeoutCause(ctx, executeLimit, fmt.Errorf("in %s", executeLimit))
	defer cancel()
	unread := context.AfterFunc(ctx, func() { _ = told.SetReadDeadline(time.Unix(1, 0)) })
	err := read()
	if !unread() { // whatever it says later is not heard any more
		return fmt.Errorf("%w: %w", errUnheard, context.Cause(ctx))
	}
	return err
}

// wires are what bubblewrap is handed beside the command's streams: the files of theirs get the
// numbers from argumentsFD on.
type wires struct {
	options []string
	theirs  []*os.File
	told    *os.File // where it says what becomes of the sandbox
	release *os.File // where it is let go
}

func (s *Service) wire(spec sandbox.Spec, who *identified, inside *process) (*wires, error) {
	if err := spec.Check(); err != nil {
		return nil, err
	}
	var options []string
	var namespaces []*os.File
	switch {
	case inside != nil:
		opened, nested, err := inside.namespaces()
		if err != nil {
			return nil, err
		}
		namespaces, options = opened, spec.Joining(pidsFD, ownerFD, usersFD, nested)
	case who != nil:
		users, err := who.open()
		if err != nil {
			return nil, err
		}
		spec.Namespace = pidsFD // the first after the three
		namespaces, options = []*os.File{users}, spec.Arguments()
	default:
		options = spec.Arguments()
	}
	if len(options) > mostArguments {
		return nil, errors.Join(fmt.Errorf("its environment (%d variables) and volumes (%d) are more than "+
			"a sandbox is told of", len(spec.Environment), len(spec.Mounts)), closeAll(namespaces))
	}
	made := &wires{options: []string{
		"--args", strconv.Itoa(argumentsFD), "--json-status-fd", strconv.Itoa(statusFD),
		"--block-fd", strconv.Itoa(blockFD),
	}}
	arguments, err := memoryFile(strings.Join(options, "\x00") + "\x00")
	if err != nil {
		return nil, errors.Join(err, closeAll(namespaces))
	}
	told, telling, err := os.Pipe()
	if err != nil {
		return nil, errors.Join(err, arguments.Close(), closeAll(namespaces))
	}
	blocked, release, err := os.Pipe()
	if err != nil {
		return nil, errors.Join(err, told.Close(), telling.Close(), arguments.Close(), closeAll(namespaces))
	}
	made.told, made.release = told, release
	made.theirs = append([]*os.File{arguments, telling, blocked}, namespaces...)
	if !spec.Unconfined {
		filter, err := memoryFile(string(s.filter))
		if err != nil {
			made.close()
			return nil, errors.Join(err, told.Close())
		}
		made.options = append(made.options, "--seccomp", strconv.Itoa(argumentsFD+len(made.theirs)))
		made.theirs = append(made.theirs, filter)
	}
	return made, nil
}

// hangUp closes the ends that are bubblewrap's now.
func (w *wires) hangUp() {
	_ = closeAll(w.theirs)
	w.theirs = nil
}

// close all but what it says, which is the process's to read.
func (w *wires) close() {
	w.hangUp()
	_ = w.release.Close()
}

func closeAll(files []*os.File) error {
	var faults []error
	for _, file := range files {
		faults = append(faults, file.Close())
	}
	return errors.Join(faults...)
}

// enter moves what there is of the sandbox so far into the container's control group; without one
// it gets the limits that the kernel has for single processes.
func (p *process) enter(c *container, pids int64) error {
	for _, pid := range []int{p.command.Process.Pid, p.first} {
		score := strconv.FormatInt(c.limits().GetOomScoreAdj(), 10)
		// Whom the kernel ends first; a user may only raise it.
		_ = os.WriteFile(fmt.Sprintf("/proc/%d/oom_score_adj", pid), []byte(score), 0o644)
		if c.group == nil {
			continue
		}
		if err := c.group.Join(pid); err != nil {
			return err
		}
	}
	if c.group == nil {
		limits := limitsOf(c.limits())
		return identity.By(c.who.credential(), func() error { return bound(p.first, limits.MemoryBytes, pids) })
	}
	return nil
}

// wait follows bubblewrap to its end.
func (p *process) wait(statements *json.Decoder) {
	defer close(p.done)
	p.reap()
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

// reap takes the exit code as shells tell it: 128 and its number for a signal.
func (p *process) reap() {
	_ = p.command.Wait()
	p.exitCode = p.command.ProcessState.ExitCode()
	if p.command.ProcessState == nil {
		return // another has waited for it
	}
	if signalled, ok := p.command.ProcessState.Sys().(syscall.WaitStatus); ok && signalled.Signaled() {
		p.exitCode, p.executed = 128+int(signalled.Signal()), true
	}
}

// spent is the processor time of one that has ended, in nanoseconds.
func (p *process) spent() uint64 {
	if waited := p.command.ProcessState; waited != nil {
		return uint64(waited.UserTime() + waited.SystemTime())
	}
	return 0
}

// awaitExecuted returns once the command runs, or has run; errNotStarted when it never will.
func (p *process) awaitExecuted() error {
	if p.plain != nil {
		return nil // it was begun by the kernel's word
	}
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
	if p.over() {
		return
	}
	if p.plain != nil {
		_ = p.command.Process.Signal(number)
		return
	}
	if pid := p.main(); pid != 0 {
		_ = syscall.Kill(pid, number)
	}
}

// over: it has ended, and its numbers may be another process's of this machine.
func (p *process) over() bool {
	select {
	case <-p.done:
		return true
	default:
		return false
	}
}

// kill ends all of the sandbox: the kernel ends a pid namespace with its first process.
func (p *process) kill() {
	if p.plain != nil {
		p.whileThere(func() { p.plain.kill() })
		return
	}
	if p.over() {
		return
	}
	if p.first != 0 {
		_ = syscall.Kill(p.first, syscall.SIGKILL)
		return
	}
	_ = p.command.Process.Kill()
}

// awaitEnd waits for one that is killed; what the kernel holds on to is left to it after a while.
func (p *process) awaitEnd() {
	select {
	case <-p.done:
	case <-time.After(endLimit):
	}
}

// end is for a command inside another's sandbox, whose first process is not its own.
func (p *process) end() {
	if p.plain != nil {
		p.whileThere(func() { _ = syscall.Kill(-p.first, syscall.SIGKILL) }) // its group
		return
	}
	_ = p.command.Process.Kill()
}

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
