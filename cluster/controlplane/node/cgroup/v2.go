package cgroup

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// unified is cgroup v2, entered at its root: a group with processes cannot have children.
type unified struct{ root string }

func (u unified) version() string { return "v2" }

func (u unified) file(group, name string) string { return filepath.Join(u.root, group, name) }

func (u unified) create(group string) error {
	folder := u.root
	for part := range strings.SplitSeq(group, "/") {
		control := filepath.Join(folder, "cgroup.subtree_control")
		if err := write(control, "+cpu +memory +pids"); err != nil {
			return err
		}
		folder = filepath.Join(folder, part)
		if err := os.MkdirAll(folder, 0o755); err != nil {
			return err
		}
	}
	return nil
}

func (u unified) limit(group string, limits Limits) error {
	if limits.Shares > 0 {
		if err := writeNumber(u.file(group, "cpu.weight"), weight(limits.Shares)); err != nil {
			return err
		}
	}
	if limits.QuotaMicroseconds > 0 {
		value := fmt.Sprintf("%d %d", limits.QuotaMicroseconds, limits.PeriodMicroseconds)
		if err := write(u.file(group, "cpu.max"), value); err != nil {
			return err
		}
	}
	if limits.MemoryBytes > 0 {
		if err := writeNumber(u.file(group, "memory.max"), limits.MemoryBytes); err != nil {
			return err
		}
		// What does not fit is ended, not moved to the disk.
		if err := change(u.swap(group), "0"); err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
	}
	if limits.Pids > 0 {
		return writeNumber(u.file(group, "pids.max"), limits.Pids)
	}
	return nil
}

func (u unified) swap(group string) string { return u.file(group, "memory.swap.max") }

func (u unified) join(group string, pid int) error {
	return writeNumber(u.file(group, "cgroup.procs"), int64(pid))
}

func (u unified) usage(group string) (Usage, error) {
	memory, err := number(u.file(group, "memory.current"))
	if err != nil {
		return Usage{}, err
	}
	stat := fields(u.file(group, "memory.stat"))
	processes, _ := number(u.file(group, "pids.current"))
	return Usage{
		CPUNanoseconds:  fields(u.file(group, "cpu.stat"))["usage_usec"] * 1000,
		MemoryBytes:     memory,
		WorkingSetBytes: memory - min(memory, stat["inactive_file"]),
		RSSBytes:        stat["anon"],
		PageFaults:      stat["pgfault"],
		MajorPageFaults: stat["pgmajfault"],
		Processes:       processes,
	}, nil
}

func (u unified) peak(group string) uint64 {
	peak, _ := number(u.file(group, "memory.peak"))
	return peak
}

func (u unified) oomKills(group string) uint64 {
	return fields(u.file(group, "memory.events"))["oom_kill"]
}

func (u unified) processes(group string) []int { return processesBelow(u.file(group, "")) }

// shut also has the kernel end all that is there, where it is one of 5.14 or later.
func (u unified) shut(group string) error {
	for _, each := range [][2]string{{"pids.max", "0"}, {"cgroup.kill", "1"}} {
		if err := change(u.file(group, each[0]), each[1]); err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
	}
	return nil
}

func (u unified) remove(group string) error { return removeBelow(u.file(group, "")) }
