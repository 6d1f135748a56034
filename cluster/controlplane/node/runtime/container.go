package runtime

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
	cri "k8s.io/cri-api/pkg/apis/runtime/v1"

	"kompute.network/devnet/controlplane/node/cgroup"
	"kompute.network/devnet/controlplane/node/sandbox"
)

// Annotations of a pod that the runtime reads.
const (
	FolderAnnotation = "kompute.network/folder" // where its commands run
	StdinAnnotation  = "kompute.network/stdin"  // base64; makes its containers tell their memory
)

const (
	devnetID   = "KOMPUTE_DEVNET_ID"
	killedCode = 128 + int(syscall.SIGKILL)
	endLimit   = 10 * time.Second
)

// container is one container of a pod: made, started at most once, ended.
type container struct {
	id      string
	pod     *sandboxed
	config  *cri.ContainerConfig
	group   *cgroup.Group // nil without control groups
	printed *output
	logPath string
	scratch string
	who     *identified // set before its start; nil where it has the node's own id
	created int64
	done    chan struct{} // closed when it has ended, or can never start

	mu        sync.Mutex
	state     cri.ContainerState
	resources *cri.LinuxContainerResources // as it was resized last
	abandon   context.CancelFunc           // of its start; nil until that is asked for
	barred    bool                         // it is not to run, or no more
	process   *process
	typed     *os.File // where attached clients write to, nil unless it has stdin or a terminal
	terminal  *os.File // nil unless it has one
	started   int64
	finished  int64
	exitCode  int
	reason    string
	message   string
	spent     uint64 // processor time last seen, in nanoseconds; only without control groups
}

// spec is what a command of the container runs in.
func (s *Service) spec(c *container, command []string, terminal bool) sandbox.Spec {
	security := c.config.GetLinux().GetSecurityContext()
	folder := c.pod.config.Annotations[FolderAnnotation]
	home := "/tmp" // which is the scratch folder there
	if s.plain != nil {
		home = c.scratch
	}
	environment := []string{
		"PATH=" + s.options.Path,
		"HOME=" + home,
		"TMPDIR=" + home,
		"LANG=C.UTF-8",
		"HOSTNAME=" + c.pod.config.Hostname,
		devnetID + "=" + s.options.DevnetID,
	}
	if terminal {
		environment = append(environment, "TERM=xterm")
	}
	for _, each := range c.config.Envs {
		environment = append(environment, each.Key+"="+string(each.Value))
	}
	workingDir := c.config.WorkingDir
	if workingDir == "" {
		workingDir = folder
	}
	mounts := make([]sandbox.Mount, len(c.config.Mounts))
	for i, each := range c.config.Mounts {
		mounts[i] = sandbox.Mount{
			Source: c.who.place(each.HostPath), Target: each.ContainerPath, ReadOnly: each.Readonly,
		}
	}
	return sandbox.Spec{
		Hostname:     c.pod.config.Hostname,
		UID:          security.GetRunAsUser().GetValue(),
		GID:          security.GetRunAsGroup().GetValue(),
		Visible:      s.visible,
		Hidden:       append(beneath(folder, s.options.Hidden), s.options.Hidden...),
		Folder:       sandbox.Mount{Source: c.who.place(folder), Target: folder, ReadOnly: true},
		Scratch:      c.who.place(c.scratch),
		ReadOnlyRoot: security.GetReadonlyRootfs(),
		Mounts:       mounts,
		WorkingDir:   workingDir,
		Terminal:     terminal,
		Unconfined:   security.GetSeccomp().GetProfileType() == cri.SecurityProfile_Unconfined,
		Environment:  environment,
		Command:      command,
	}
}

// beneath is where the hidden lie below a folder that was named by way of a symbolic link.
func beneath(folder string, hidden []string) (found []string) {
	really, err := filepath.EvalSymlinks(folder)
	if err != nil || really == folder {
		return nil
	}
	for _, each := range hidden {
		place, err := filepath.EvalSymlinks(each)
		if err != nil {
			continue // it is not there
		}
		if within, err := filepath.Rel(really, place); err == nil && filepath.IsLocal(within) && within != "." {
			found = append(found, filepath.Join(folder, within))
		}
	}
	return found
}

// stdio opens what the command reads and prints: its ends, and ours of what it prints.
func (c *container) stdio() (stdio, map[string]*os.File, error) {
	if c.config.Tty {
		here, theirs, err := openTerminal()
		if err != nil {
			return stdio{}, nil, err
		}
		c.mu.Lock()
		c.typed, c.terminal = here, here
		c.mu.Unlock()
		return stdio{theirs, theirs, theirs}, map[string]*os.File{stdout: here}, nil
	}
	input, err := c.input()
	if err != nil {
		return stdio{}, nil, err
	}
	outR, outW, err := os.Pipe()
	if err != nil {
		return stdio{}, nil, err
	}
	errR, errW, err := os.Pipe()
	if err != nil {
		return stdio{}, nil, errors.Join(err, outR.Close(), outW.Close())
	}
	return stdio{input, outW, errW}, map[string]*os.File{stdout: outR, stderr: errR}, nil
}

// input is what the command reads: what its pod's annotation says, what clients type, nothing.
func (c *container) input() (*os.File, error) {
	if text, ok := c.pod.config.Annotations[StdinAnnotation]; ok {
		payload, err := base64.StdEncoding.DecodeString(text)
		if err != nil {
			return nil, fmt.Errorf("metadata.annotations[%s]: %w", StdinAnnotation, err)
		}
		return memoryFile(string(payload))
	}
	if !c.config.Stdin {
		return os.Open(os.DevNull)
	}
	read, typed, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	c.typed = typed
	c.mu.Unlock()
	return read, nil
}

// ended notes how it ended and what it has left, and says so to whoever waits.
func (s *Service) ended(c *container, exitCode int, left string) {
	reason, message := "Completed", left
	if exitCode != 0 {
		reason = "Error"
	}
	if c.group == nil {
		c.mu.Lock()
		spent := max(c.spent, c.process.spent())
		c.mu.Unlock()
		s.mu.Lock()
		s.spent += spent
		s.mu.Unlock()
	} else {
		// By the kernel's word alone: a full group and a SIGKILL prove nothing.
		if exitCode == killedCode && c.group.OOMKills() > 0 {
			reason = "OOMKilled"
		}
		if _, job := c.pod.config.Annotations[StdinAnnotation]; job {
			message = fmt.Sprintf(`{"memory_bytes": %d}`, c.group.PeakBytes())
		}
	}
	s.finish(c, exitCode, reason, message)
	s.tellChanged(c.pod.config.Metadata.Uid)
}

func (s *Service) finish(c *container, exitCode int, reason, message string) {
	if c.group != nil {
		if err := c.group.Close(); err != nil {
			message = strings.TrimSpace(message + " " + err.Error())
		}
	}
	if err := c.who.close(); err != nil {
		message = strings.TrimSpace(message + " " + err.Error())
	}
	c.mu.Lock()
	c.state, c.finished = cri.ContainerState_CONTAINER_EXITED, nanoseconds()
	if c.started == 0 {
		c.started = c.finished
	}
	c.exitCode, c.reason, c.message = exitCode, reason, message
	if c.typed != nil && c.typed != c.terminal {
		_ = c.typed.Close()
	}
	c.mu.Unlock()
	c.printed.close()
	close(c.done)
}

// stop asks the command to end, and ends all of the sandbox after the grace.
func (c *container) stop(ctx context.Context, grace time.Duration) error {
	c.mu.Lock()
	running := c.process
	c.mu.Unlock()
	if running != nil && grace > 0 {
		running.signal(c.stopSignal())
		select {
		case <-c.done:
			return nil
		case <-ctx.Done(): // a shorter grace comes with another call
			return ctx.Err()
		case <-time.After(grace):
		}
	}
	c.kill()
	return waitEnded(context.Background(), c)
}

func (c *container) stopSignal() syscall.Signal {
	if asked := c.config.GetStopSignal(); asked != cri.Signal_RUNTIME_DEFAULT {
		if number := unix.SignalNum(asked.String()); number != 0 {
			return number
		}
	}
	return syscall.SIGTERM
}

// kill ends what runs or is being started, without waiting for it; what was never started never is.
func (c *container) kill() {
	c.mu.Lock()
	c.barred = true
	running, abandon := c.process, c.abandon
	c.mu.Unlock()
	if abandon != nil {
		abandon()
	}
	if running != nil {
		running.kill()
	}
}

// waitEnded returns once all of them have ended, those at once that were never started. All together
// have endLimit, or what the context leaves of it; the error names who has not.
func waitEnded(ctx context.Context, containers ...*container) error {
	began := time.Now()
	ctx, cancel := context.WithTimeout(ctx, endLimit)
	defer cancel()
	var faults []error
	for _, c := range containers {
		if !c.hasEnded(ctx) {
			faults = append(faults, fmt.Errorf(
				"container %s has not ended %s after SIGKILL", c.id, time.Since(began).Round(time.Millisecond)))
		}
	}
	return errors.Join(faults...)
}

// hasEnded waits for it as long as the context lasts.
func (c *container) hasEnded(ctx context.Context) bool {
	c.mu.Lock()
	never := c.state == cri.ContainerState_CONTAINER_CREATED && c.abandon == nil
	c.mu.Unlock()
	if never {
		return true
	}
	select {
	case <-c.done:
		return true
	case <-ctx.Done():
	}
	select {
	case <-c.done: // both
		return true
	default:
		return false
	}
}

// limits are those that it was given last.
func (c *container) limits() *cri.LinuxContainerResources {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.resources
}

// running is its process, or an error for one that does not run.
func (c *container) running() (*process, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.state != cri.ContainerState_CONTAINER_RUNNING {
		return nil, fmt.Errorf("container %s is not running", c.config.Metadata.Name)
	}
	return c.process, nil
}

func makeScratch(folder string) error {
	if err := os.MkdirAll(filepath.Dir(folder), 0o755); err != nil {
		return err
	}
	if err := os.Mkdir(folder, 0o777); err != nil {
		return err
	}
	return os.Chmod(folder, 0o777|os.ModeSticky) // whatever the umask
}
