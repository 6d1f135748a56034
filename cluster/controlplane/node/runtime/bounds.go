package runtime

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// bound is what a process and whatever it starts may have without a control group: each of them so
// much memory of its own, and all of them together, which the kernel counts by user namespace, so
// many processes. An allocation beyond fails; nobody is killed for it.
func bound(pid int, memoryBytes, pids int64) error {
	for resource, most := range map[int]int64{unix.RLIMIT_DATA: memoryBytes, unix.RLIMIT_NPROC: pids} {
		if most <= 0 {
			continue
		}
		wished := unix.Rlimit{Cur: uint64(most), Max: uint64(most)}
		if err := unix.Prlimit(pid, resource, &wished, nil); err != nil {
			return fmt.Errorf("limits of a process: %w", err)
		}
	}
	return nil
}
