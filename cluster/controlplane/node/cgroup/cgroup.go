// Package cgroup nests control groups of either version: a node, its pods, their containers.
package cgroup

import (
	"errors"
	"fmt"
	"os"
	"path"
	"syscall"
	"time"
)

const (
	killPause   = 10 * time.Millisecond
	killLimit   = 5 * time.Second
	removeLimit = 2 * time.Second
)

// Limits of one group; 0 leaves a resource to the group above.
type Limits struct {
	// Shares is the weight among siblings, in the units of cgroup v1 (1024 a core).
	Shares int64
	// QuotaMicroseconds of processor time in each period of PeriodMicroseconds.
	QuotaMicroseconds, PeriodMicroseconds int64
	MemoryBytes                           int64
	Pids                                  int64
}

// Usage of a group and of all below it.
type Usage struct {
	CPUNanoseconds  uint64
	MemoryBytes     uint64
	WorkingSetBytes uint64 // without inactive file pages, as Kubernetes counts it
	RSSBytes        uint64
	PageFaults      uint64
	MajorPageFaults uint64
	Processes       uint64
}

// hierarchy is one version's files; groups are named by their path below the hierarchy's place.
type hierarchy interface {
	version() string
	create(group string) error
	limit(group string, limits Limits) error
	join(group string, pid int) error
	usage(group string) (Usage, error)
	peak(group string) uint64
	oomKills(group string) uint64
	processes(group string) []int
	swap(group string) string // the file that bounds it, which not every kernel has
	shut(group string) error  // nothing is forked in it any more
	remove(group string) error
}

// Group is a control group that this process made; Close ends it.
type Group struct {
	files  hierarchy
	name   string
	wished Limits
	limits Limits // of those wished, what is in force: cut to what the groups above have
	above  *Group
	tree   *tree
}

// ErrNone says that this machine has no control groups a node could use.
var ErrNone = errors.New("there are no cpu, memory and pids controllers")

// ErrRefused says that a group can be made, and does not get its limits.
var ErrRefused = errors.New("limits are refused")

// New makes a group directly below this process's place. Its parents need no limits.
// It fails where the machine does not allow control groups, with the reason.
func New(name string, limits Limits) (*Group, error) {
	files, err := detect()
	if err != nil {
		return nil, err
	}
	return newGroup(files, &tree{percent: whole}, nil, name, limits)
}

func newGroup(
	files hierarchy, tree *tree, above *Group, name string, limits Limits,
) (*Group, error) {
	group := &Group{files: files, name: name, above: above, tree: tree}
	if err := files.create(name); err != nil {
		return nil, fmt.Errorf("control group %s: %w", name, err)
	}
	if err := tree.add(group, limits); err != nil {
		return nil, errors.Join(fmt.Errorf("%w: %w", ErrRefused, err), files.remove(name))
	}
	return group, nil
}

// Child makes a group inside this one.
func (g *Group) Child(name string, limits Limits) (*Group, error) {
	return newGroup(g.files, g.tree, g, path.Join(g.name, name), limits)
}

// Limit sets the limits anew. A quota above that of a group around it is cut to it: the kernel
// refuses such a one, and no more could be had anyway.
func (g *Group) Limit(limits Limits) error { return g.tree.limit(g, limits) }

// Pace gives the group, and so all below it, that percentage of the quota it was made with; 100
// gives all of it back. It is asked of a group that New made.
func (g *Group) Pace(percent int64) error { return g.tree.pace(percent) }

// writeQuota puts that of the group's limits into force.
func (g *Group) writeQuota() error {
	quota := Limits{
		QuotaMicroseconds: g.limits.QuotaMicroseconds, PeriodMicroseconds: g.limits.PeriodMicroseconds,
	}
	if err := g.files.limit(g.name, quota); err != nil {
		return fmt.Errorf("control group %s: %w", g.name, err)
	}
	return nil
}

// write puts limits into force.
func (g *Group) write(limits Limits) error {
	if err := g.files.limit(g.name, limits); err != nil {
		return fmt.Errorf("control group %s: %w", g.name, err)
	}
	g.limits = limits
	return nil
}

// Version of the hierarchy: "v1" or "v2".
func (g *Group) Version() string { return g.files.version() }

// Join moves a process into the group.
func (g *Group) Join(pid int) error {
	if err := g.files.join(g.name, pid); err != nil {
		return fmt.Errorf("process %d into control group %s: %w", pid, g.name, err)
	}
	return nil
}

// Usage of the group so far.
func (g *Group) Usage() (Usage, error) { return g.files.usage(g.name) }

// PeakBytes is the group's largest memory use, 0 where the kernel does not tell.
func (g *Group) PeakBytes() uint64 { return g.files.peak(g.name) }

// OOMKills is how many processes of this group the kernel has ended for want of memory.
func (g *Group) OOMKills() uint64 { return g.files.oomKills(g.name) }

// BoundsSwap says whether a limit of memory is one of swap too.
func (g *Group) BoundsSwap() bool {
	_, err := os.Stat(g.files.swap(g.name))
	return err == nil
}

// Kill ends every process in the group and below it, for good: none is forked there afterwards, or
// whoever forks faster than is killed would go on.
func (g *Group) Kill() error {
	if err := g.files.shut(g.name); err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("control group %s: %w", g.name, err)
	}
	for end := time.Now().Add(killLimit); ; time.Sleep(killPause) {
		pids := g.files.processes(g.name)
		if len(pids) == 0 {
			return nil
		}
		if time.Now().After(end) {
			return fmt.Errorf("control group %s: processes %v do not end", g.name, pids)
		}
		if err := g.signal(pids); err != nil {
			return err
		}
	}
}

// signal ends those of the processes that are in the group still once they are held: a number alone
// may be another process's by then.
func (g *Group) signal(pids []int) error {
	held := map[int]*os.Process{}
	for _, pid := range pids {
		process, err := os.FindProcess(pid)
		if err != nil {
			return fmt.Errorf("process %d of control group %s: %w", pid, g.name, err)
		}
		defer process.Release()
		held[pid] = process
	}
	for _, pid := range g.files.processes(g.name) {
		process, ok := held[pid]
		if !ok {
			continue // the next look's
		}
		if err := process.Signal(syscall.SIGKILL); err != nil && !errors.Is(err, os.ErrProcessDone) {
			return fmt.Errorf("process %d of control group %s: %w", pid, g.name, err)
		}
	}
	return nil
}

// Close ends every process in the group and removes it with all below it.
func (g *Group) Close() error {
	if err := g.Kill(); err != nil {
		return err
	}
	// A group is busy for a moment after its last process has gone.
	for end := time.Now().Add(removeLimit); ; time.Sleep(killPause) {
		err := g.files.remove(g.name)
		if err == nil || errors.Is(err, os.ErrNotExist) {
			g.tree.drop(g)
			return nil
		}
		if time.Now().After(end) {
			return fmt.Errorf("control group %s stays: %w", g.name, err)
		}
	}
}
