package cgroup

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

var controllers = []string{"cpu", "cpuacct", "memory", "pids"}

// separate is cgroup v1: a hierarchy a controller, each entered below this process's own group.
type separate struct {
	roots map[string]string // by controller; two may share one
}

func newSeparate(mounted string) (hierarchy, error) {
	own := ownGroups()
	roots := map[string]string{}
	for _, name := range controllers {
		root := filepath.Join(mounted, name)
		if info, err := os.Stat(root); err != nil || !info.IsDir() {
			return nil, ErrNone
		}
		below := filepath.Join(root, own[name])
		if info, err := os.Stat(below); err == nil && info.IsDir() {
			root = below
		}
		if resolved, err := filepath.EvalSymlinks(root); err == nil {
			root = resolved // cpu and cpuacct are often one
		}
		roots[name] = root
	}
	return separate{roots}, nil
}

func ownGroups() map[string]string {
	found := map[string]string{}
	text, _ := os.ReadFile("/proc/self/cgroup")
	for line := range strings.Lines(string(text)) {
		parts := strings.SplitN(strings.TrimSpace(line), ":", 3)
		if len(parts) == 3 {
			for name := range strings.SplitSeq(parts[1], ",") {
				found[name] = parts[2]
			}
		}
	}
	return found
}

func (s separate) version() string { return "v1" }

func (s separate) folders(group string) []string {
	var found []string
	for _, name := range controllers {
		if folder := filepath.Join(s.roots[name], group); !slices.Contains(found, folder) {
			found = append(found, folder)
		}
	}
	return found
}

func (s separate) file(controller, group, name string) string {
	return filepath.Join(s.roots[controller], group, name)
}

func (s separate) create(group string) error {
	for _, folder := range s.folders(group) {
		if err := os.MkdirAll(folder, 0o755); err != nil {
			return err
		}
	}
	return nil
}

func (s separate) limit(group string, limits Limits) error {
	if limits.Shares > 0 {
		if err := writeNumber(s.file("cpu", group, "cpu.shares"), limits.Shares); err != nil {
			return err
		}
	}
	if limits.QuotaMicroseconds > 0 {
		// Between the two writes the share must not pass the parent's: the quota is lifted first.
		_ = writeNumber(s.file("cpu", group, "cpu.cfs_quota_us"), -1)
		period := s.file("cpu", group, "cpu.cfs_period_us")
		if err := writeNumber(period, limits.PeriodMicroseconds); err != nil {
			return err
		}
		quota := s.file("cpu", group, "cpu.cfs_quota_us")
		if err := writeNumber(quota, limits.QuotaMicroseconds); err != nil {
			return err
		}
	}
	if limits.MemoryBytes > 0 {
		if err := s.limitMemory(group, limits.MemoryBytes); err != nil {
			return err
		}
	}
	if limits.Pids > 0 {
		return writeNumber(s.file("pids", group, "pids.max"), limits.Pids)
	}
	return nil
}

// limitMemory has memory and swap together be no more than memory alone: what does not fit is ended,
// not moved to the disk. The kernel refuses a limit of memory above that of both, at any moment.
func (s separate) limitMemory(group string, bytes int64) error {
	memory, both := s.file("memory", group, "memory.limit_in_bytes"), s.swap(group)
	if most, err := number(both); errors.Is(err, os.ErrNotExist) {
		return writeNumber(memory, bytes)
	} else if err != nil {
		return err
	} else if uint64(bytes) > most {
		memory, both = both, memory
	}
	if err := writeNumber(memory, bytes); err != nil {
		return err
	}
	return writeNumber(both, bytes)
}

func (s separate) swap(group string) string {
	return s.file("memory", group, "memory.memsw.limit_in_bytes")
}

func (s separate) join(group string, pid int) error {
	for _, folder := range s.folders(group) {
		if err := writeNumber(filepath.Join(folder, "cgroup.procs"), int64(pid)); err != nil {
			return err
		}
	}
	return nil
}

func (s separate) usage(group string) (Usage, error) {
	processor, err := number(s.file("cpuacct", group, "cpuacct.usage"))
	if err != nil {
		return Usage{}, err
	}
	memory, err := number(s.file("memory", group, "memory.usage_in_bytes"))
	if err != nil {
		return Usage{}, err
	}
	stat := fields(s.file("memory", group, "memory.stat"))
	processes, _ := number(s.file("pids", group, "pids.current"))
	return Usage{
		CPUNanoseconds:  processor,
		MemoryBytes:     memory,
		WorkingSetBytes: memory - min(memory, stat["total_inactive_file"]),
		RSSBytes:        stat["total_rss"],
		PageFaults:      stat["total_pgfault"],
		MajorPageFaults: stat["total_pgmajfault"],
		Processes:       processes,
	}, nil
}

func (s separate) peak(group string) uint64 {
	peak, _ := number(s.file("memory", group, "memory.max_usage_in_bytes"))
	return peak
}

func (s separate) oomKills(group string) uint64 {
	return fields(s.file("memory", group, "memory.oom_control"))["oom_kill"]
}

func (s separate) processes(group string) []int {
	return processesBelow(s.file("pids", group, ""))
}

func (s separate) shut(group string) error {
	return writeNumber(s.file("pids", group, "pids.max"), 0)
}

func (s separate) remove(group string) error {
	for _, folder := range s.folders(group) {
		if err := removeBelow(folder); err != nil {
			return err
		}
	}
	return nil
}
