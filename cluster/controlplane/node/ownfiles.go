package node

import (
	"fmt"
	"io/fs"
	"path/filepath"
	"sync"
	"syscall"
	"time"
)

const filesAge = 5 * time.Second // a look at all of a node's files is not free

// ownFiles are what of the host's disk is the node's, where it has none of its own: whatever lies in
// its folder, of volumes, logs and what containers write.
type ownFiles struct {
	folder string

	mu   sync.Mutex
	seen time.Time
	used uint64
}

// usedBytes of the file system that the folder is on; volumes in memory are no disk's.
func (o *ownFiles) usedBytes() (uint64, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if !o.seen.IsZero() && time.Since(o.seen) < filesAge {
		return o.used, nil
	}
	var top syscall.Stat_t
	if err := syscall.Stat(o.folder, &top); err != nil {
		return 0, fmt.Errorf("files of the node: %w", err)
	}
	var used uint64
	linked := map[uint64]bool{} // inodes of more than one name
	err := filepath.WalkDir(o.folder, func(_ string, entry fs.DirEntry, err error) error {
		if err != nil {
			return nil // gone meanwhile, or a pod's that it has shut
		}
		info, err := entry.Info()
		if err != nil {
			return nil
		}
		stat, ok := info.Sys().(*syscall.Stat_t)
		if !ok || stat.Dev != top.Dev {
			if entry.IsDir() {
				return fs.SkipDir
			}
			return nil
		}
		if !entry.IsDir() && stat.Nlink > 1 {
			if linked[stat.Ino] {
				return nil
			}
			linked[stat.Ino] = true
		}
		used += uint64(stat.Blocks) * 512
		return nil
	})
	if err != nil {
		return 0, fmt.Errorf("files of the node: %w", err)
	}
	o.used, o.seen = used, time.Now()
	return used, nil
}
