package runtime

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"kompute.network/devnet/controlplane/node/cgroup"
	"kompute.network/devnet/controlplane/node/sandbox"
)

// What every process of a container carries where there is no sandbox to find it by.
const (
	containerID = "KOMPUTE_CONTAINER_ID"
	nodeName    = "KOMPUTE_NODE"
	lastCap     = 63 // capabilities are bits of two words of 32
)

// plain is what a container's command has in place of a sandbox: a session of its own, and a mark
// in its environment, by which its processes are found; and its control group, where there are some.
type plain struct {
	ours  belongs
	group *cgroup.Group

	mu sync.Mutex // held while its numbers may not become another's
}

// plainForkers start plain processes. Their threads have given up what a pod must not have, so that
// whoever they start never had it: capabilities, new privileges, calls of the filter.
type plainForkers struct{ filtered, unfiltered forker }

func newPlainForkers(filter []byte) (*plainForkers, error) {
	filtered, err := newForkerAfter(func() error { return giveUp(filter) })
	if err != nil {
		return nil, err
	}
	unfiltered, err := newForkerAfter(func() error { return giveUp(nil) })
	if err != nil {
		return nil, err
	}
	made := &plainForkers{filtered, unfiltered}
	return made, made.try()
}

// TryPlain says why no plain process can be begun here, by beginning one.
func TryPlain() error {
	filter, err := sandbox.Filter()
	if err != nil {
		return err
	}
	_, err = newPlainForkers(filter)
	return err
}

func (f *plainForkers) try() error {
	for _, each := range []forker{f.filtered, f.unfiltered} {
		command := exec.Command("/bin/sh", "-c", ":")
		command.SysProcAttr = plainAttributes(false)
		if err := begin(each, command, func() error { return nil }); err != nil {
			return fmt.Errorf("no process can be begun here: %w", err)
		}
		if err := command.Wait(); err != nil {
			return fmt.Errorf("no process can be begun here: %w", err)
		}
	}
	return nil
}

// giveUp is of this thread alone, and for good.
func giveUp(filter []byte) error {
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return fmt.Errorf("no new privileges: %w", err)
	}
	for number := range uintptr(lastCap + 1) {
		_ = unix.Prctl(unix.PR_CAPBSET_DROP, number, 0, 0, 0) // the others lose them by the line above
	}
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var none [2]unix.CapUserData
	if err := unix.Capset(&header, &none[0]); err != nil {
		return fmt.Errorf("no capabilities: %w", err)
	}
	if len(filter) == 0 {
		return nil
	}
	instructions := unsafe.Slice((*unix.SockFilter)(unsafe.Pointer(&filter[0])),
		len(filter)/int(unsafe.Sizeof(unix.SockFilter{})))
	program := unix.SockFprog{Len: uint16(len(instructions)), Filter: &instructions[0]}
	err := unix.Prctl(unix.PR_SET_SECCOMP, unix.SECCOMP_MODE_FILTER, uintptr(unsafe.Pointer(&program)), 0, 0)
	if err != nil {
		return fmt.Errorf("filter of system calls: %w", err)
	}
	return nil
}

func plainAttributes(terminal bool) *syscall.SysProcAttr {
	return &syscall.SysProcAttr{
		Setsid: true, Setctty: terminal, Ptrace: true,
		Pdeathsig: syscall.SIGKILL, // with the forker's thread, which is the node's
	}
}

// launchPlain starts a command of the container as a process of this one's user. It is stopped at its
// first instruction (as for a debugger) until it is in the container's control group, or has the
// limits that the kernel has for single processes.
func (s *Service) launchPlain(c *container, spec sandbox.Spec, files stdio, inside bool) (*process, error) {
	defer files.close()
	if err := spec.Check(); err != nil {
		return nil, err
	}
	program, err := programOf(spec)
	command := &exec.Cmd{
		Path: program, Args: spec.Command, Dir: spec.WorkingDir,
		Env:   append(slices.Clone(spec.Environment), s.marks(c)...),
		Stdin: files.in, Stdout: files.out, Stderr: files.err,
		SysProcAttr: plainAttributes(spec.Terminal),
	}
	forks := s.plain.filtered
	if spec.Unconfined {
		forks = s.plain.unfiltered
	}
	started := &process{command: command, plain: &plain{group: c.group}, done: make(chan struct{})}
	if err == nil {
		err = begin(forks, command, func() error {
			started.first = command.Process.Pid
			started.plain.ours = belongs{session: started.first, marks: []string{containerID + "=" + c.id}}
			return started.enter(c, 0) // processes are counted by user, whose others are not the pod's
		})
	}
	if command.Process == nil {
		if place := spec.WorkingDir; place != "" && unix.Access(place, unix.X_OK) != nil {
			err = fmt.Errorf("its working folder %s: %w", place, unix.Access(place, unix.X_OK)) // not the program
		}
		// As a sandbox says it: to whoever reads what the command prints.
		_, _ = fmt.Fprintln(files.err, strings.TrimPrefix(err.Error(), "fork/exec "))
		close(started.done)
		return started, errNotStarted
	}
	started.executed = true
	go started.follow(inside)
	if err != nil {
		started.kill()
		<-started.done
	}
	return started, err
}

// marks go last: a pod's own values do not replace them.
func (s *Service) marks(c *container) []string {
	return []string{
		devnetID + "=" + s.options.DevnetID, nodeName + "=" + s.options.Node, containerID + "=" + c.id,
	}
}

// begin starts the command on the forker's thread and has `enter` act before its first instruction.
// The command has no process where it could not be started.
func begin(forks forker, command *exec.Cmd, enter func() error) error {
	return forks.do(func() error { // whose thread alone may let it go on
		if err := command.Start(); err != nil {
			return err
		}
		pid := command.Process.Pid
		var seen syscall.WaitStatus
		_, err := syscall.Wait4(pid, &seen, syscall.WALL, nil)
		for err == syscall.EINTR {
			_, err = syscall.Wait4(pid, &seen, syscall.WALL, nil)
		}
		if err != nil || !seen.Stopped() {
			return errors.Join(err, errors.New("it ended before its first instruction"))
		}
		return errors.Join(enter(), syscall.PtraceDetach(pid))
	})
}

// programOf finds the command by the container's PATH, as a shell does.
func programOf(spec sandbox.Spec) (string, error) {
	name := spec.Command[0]
	if strings.Contains(name, "/") {
		return name, nil // a relative one is of the working folder
	}
	for _, each := range slices.Backward(spec.Environment) {
		path, ok := strings.CutPrefix(each, "PATH=")
		if !ok {
			continue
		}
		for _, folder := range filepath.SplitList(path) {
			if !filepath.IsAbs(folder) {
				folder = filepath.Join(spec.WorkingDir, folder)
			}
			file := filepath.Join(folder, name)
			info, err := os.Stat(file)
			if err == nil && info.Mode().IsRegular() && unix.Access(file, unix.X_OK) == nil {
				return file, nil
			}
		}
		break
	}
	return "", fmt.Errorf("%s: %w", name, syscall.ENOENT)
}

// follow a plain process to its end. What a container's own command leaves running ends with it, as
// with a pid namespace; what one more command leaves, with the container.
func (p *process) follow(inside bool) {
	err := unix.Waitid(unix.P_PID, p.first, nil, unix.WEXITED|unix.WNOWAIT, nil)
	for err == unix.EINTR {
		err = unix.Waitid(unix.P_PID, p.first, nil, unix.WEXITED|unix.WNOWAIT, nil)
	}
	if !inside {
		p.plain.end() // while its number is its own still
	}
	p.plain.mu.Lock()
	defer p.plain.mu.Unlock()
	p.reap()
	close(p.done)
}

// whileThere acts unless it is over; its number stays its own meanwhile.
func (p *process) whileThere(act func()) {
	p.plain.mu.Lock()
	defer p.plain.mu.Unlock()
	if !p.over() {
		act()
	}
}

func (p *plain) kill() { p.ours.kill() }

// end all of a container. Who has left its session, its environment and its parents is in its
// control group still, unless it has left that too.
func (p *plain) end() {
	if p.group != nil {
		_ = p.group.Kill() // who does not end is told by the group's Close
	}
	p.ours.end()
}

func (p *plain) usage() (used cgroup.Usage) {
	for _, pid := range p.ours.find() {
		used = sum(used, processUsage(pid))
	}
	return used
}

// endLeft ends what an earlier life of the node has left.
func endLeft(devnet, node string) {
	belongs{marks: []string{devnetID + "=" + devnet, nodeName + "=" + node}}.end()
}

// belongs is how plain processes are known: by the session they are in, or all of the marks in their
// environment, or as children of such a one. A process that has left all three is not found.
type belongs struct {
	session int // 0: none
	marks   []string
}

// find gives those that live.
func (b belongs) find() []int {
	folders, _ := filepath.Glob("/proc/[0-9]*")
	parents, found := map[int]int{}, map[int]bool{}
	for _, folder := range folders {
		seen, ok := readStat(folder)
		if !ok || seen.ended {
			continue
		}
		parents[seen.pid] = seen.parent
		found[seen.pid] = seen.pid != os.Getpid() &&
			(b.session != 0 && seen.session == b.session || b.marked(folder))
	}
	for more := true; more; {
		more = false
		for pid, parent := range parents {
			if found[parent] && !found[pid] && pid != os.Getpid() {
				found[pid], more = true, true
			}
		}
	}
	var pids []int
	for pid, ours := range found {
		if ours {
			pids = append(pids, pid)
		}
	}
	return pids
}

func (b belongs) marked(folder string) bool {
	if len(b.marks) == 0 {
		return false
	}
	text, err := os.ReadFile(folder + "/environ")
	if err != nil {
		return false // another user's, or gone
	}
	has := strings.Split(string(text), "\x00")
	return !slices.ContainsFunc(b.marks, func(mark string) bool { return !slices.Contains(has, mark) })
}

// kill all of them, each by a descriptor that was opened before it was found: a number may be
// another's by now.
func (b belongs) kill() (killed int) {
	opened := map[int]int{}
	for _, pid := range b.find() {
		descriptor, err := unix.PidfdOpen(pid, 0)
		if err == unix.ESRCH {
			continue
		} else if err != nil {
			descriptor = -1 // an old kernel, or a filter around this process
		}
		opened[pid] = descriptor
	}
	if len(opened) == 0 {
		return 0
	}
	for _, pid := range b.find() {
		descriptor, ok := opened[pid]
		switch {
		case ok && descriptor >= 0:
			_ = unix.PidfdSendSignal(descriptor, unix.SIGKILL, nil, 0)
		case ok:
			_ = syscall.Kill(pid, syscall.SIGKILL)
		}
	}
	for _, descriptor := range opened {
		if descriptor >= 0 {
			_ = unix.Close(descriptor)
		}
	}
	return len(opened)
}

// end kills until none is left, bounded by endLimit.
func (b belongs) end() {
	for until := time.Now().Add(endLimit); b.kill() > 0 && time.Now().Before(until); {
		time.Sleep(executePause)
	}
}
