package runtime

import (
	"fmt"
	"os"
	"strconv"
	"strings"

	"kompute.network/devnet/controlplane/node/cgroup"
)

// ticks of processor time a second, as the kernel shows them to programs on every platform of ours.
const ticks = 100

// Usage of all pods, where there is no control group of the node to ask.
func (s *Service) Usage() cgroup.Usage {
	s.mu.Lock()
	var running []*container
	for _, c := range s.containers {
		running = append(running, c)
	}
	total := cgroup.Usage{CPUNanoseconds: s.spent}
	s.mu.Unlock()
	for _, c := range running {
		if used, ok := c.usage(); ok {
			total = sum(total, used)
		}
	}
	return total
}

// usage by the container's control group, else by its processes; false once it has ended.
func (c *container) usage() (cgroup.Usage, bool) {
	if c.group != nil {
		used, err := c.group.Usage()
		return used, err == nil
	}
	inside, err := c.running()
	if err != nil {
		return cgroup.Usage{}, false
	}
	var used cgroup.Usage
	if inside.plain != nil {
		used = inside.plain.usage()
	} else {
		used = treeUsage(inside.command.Process.Pid)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	// What ends unwaited for, as all does that is killed, must not count less afterwards.
	c.spent = max(c.spent, used.CPUNanoseconds)
	used.CPUNanoseconds = c.spent
	return used, true
}

// treeUsage of a process, of all below it, and of those of them that have ended and were waited for.
func treeUsage(pid int) cgroup.Usage {
	used := processUsage(pid)
	tasks, _ := os.ReadDir(fmt.Sprintf("/proc/%d/task", pid))
	for _, task := range tasks {
		children, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%s/children", pid, task.Name()))
		if err != nil {
			continue // it has ended meanwhile
		}
		for word := range strings.FieldsSeq(string(children)) {
			if child, err := strconv.Atoi(word); err == nil {
				used = sum(used, treeUsage(child))
			}
		}
	}
	return used
}

// processUsage reads /proc/PID/stat from its third field on: the name before may have blanks.
func processUsage(pid int) cgroup.Usage {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return cgroup.Usage{}
	}
	_, rest, _ := strings.Cut(string(text[strings.LastIndexByte(string(text), ')')+1:]), " ")
	fields := strings.Fields(rest)
	if len(fields) < 22 {
		return cgroup.Usage{}
	}
	field := func(number int) uint64 { // as proc(5) numbers them
		value, _ := strconv.ParseUint(fields[number-3], 10, 64)
		return value
	}
	memory := field(24) * uint64(os.Getpagesize())
	return cgroup.Usage{
		CPUNanoseconds: (field(14) + field(15) + field(16) + field(17)) * 1_000_000_000 / ticks,
		MemoryBytes:    memory, WorkingSetBytes: memory, RSSBytes: memory,
		PageFaults: field(10), MajorPageFaults: field(12), Processes: 1,
	}
}

func sum(one, other cgroup.Usage) cgroup.Usage {
	return cgroup.Usage{
		CPUNanoseconds:  one.CPUNanoseconds + other.CPUNanoseconds,
		MemoryBytes:     one.MemoryBytes + other.MemoryBytes,
		WorkingSetBytes: one.WorkingSetBytes + other.WorkingSetBytes,
		RSSBytes:        one.RSSBytes + other.RSSBytes,
		PageFaults:      one.PageFaults + other.PageFaults,
		MajorPageFaults: one.MajorPageFaults + other.MajorPageFaults,
		Processes:       one.Processes + other.Processes,
	}
}

// stat of a process, as /proc tells it.
type stat struct {
	pid, parent, session int
	ended                bool // nobody has waited for it yet
}

// readStat reads /proc/PID/stat; false for one that is gone.
func readStat(folder string) (stat, bool) {
	text, err := os.ReadFile(folder + "/stat")
	if err != nil {
		return stat{}, false
	}
	// The name, in the second field, may have blanks and brackets.
	number, _, _ := strings.Cut(string(text), " ")
	fields := strings.Fields(string(text[strings.LastIndexByte(string(text), ')')+1:]))
	if len(fields) < 4 {
		return stat{}, false
	}
	seen := stat{ended: fields[0] == "Z" || fields[0] == "X"}
	seen.pid, _ = strconv.Atoi(number)
	seen.parent, _ = strconv.Atoi(fields[1])
	seen.session, _ = strconv.Atoi(fields[3])
	return seen, true
}
