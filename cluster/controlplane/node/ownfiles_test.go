package node

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	v1 "k8s.io/api/core/v1"
)

func TestADisksUseIsTheNodesOwn(t *testing.T) {
	config, err := read(t, good)
	if err != nil {
		t.Fatal(err)
	}
	config.Folder = t.TempDir()
	config.Capacity[v1.ResourceEphemeralStorage] = quantity(t, "10Mi")
	write := func(name string, megabytes int) {
		path := filepath.Join(config.Folder, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, bytes.Repeat([]byte{1}, megabytes<<20), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, row := range []struct {
		name      string
		megabytes int
		used      uint64
	}{
		{"log", 0, 0},
		{"containers/one/written", 4, 4},
		{"kubelet/pods/one/volume", 3, 7},
		{"containers/two/beyond", 5, 12},
	} {
		write(row.name, row.megabytes)
		found, err := newMachine(config, idle).RootFsInfo()
		if err != nil {
			t.Fatal(err)
		}
		left := 10 - min(row.used, 10)
		// Folders have a size too, and a file's last block.
		if found.Capacity != 10<<20 || found.Usage>>20 != row.used || (found.Available+1<<19)>>20 != left {
			t.Errorf("with %s: %d used and %d left of %d, wanted %d and %d MiB",
				row.name, found.Usage, found.Available, found.Capacity, row.used, left)
		}
	}
	if err := os.Link(filepath.Join(config.Folder, "containers/one/written"), filepath.Join(config.Folder, "again")); err != nil {
		t.Fatal(err)
	}
	found, err := newMachine(config, idle).RootFsInfo()
	if err != nil || found.Usage>>20 != 12 {
		t.Errorf("a second name of a file: %d used, %v", found.Usage, err)
	}
}

func TestADiskHasNoMoreRoomThanTheHost(t *testing.T) {
	config, err := read(t, good)
	if err != nil {
		t.Fatal(err)
	}
	config.Folder = t.TempDir()
	config.Capacity[v1.ResourceEphemeralStorage] = quantity(t, "1Ei")
	host, err := fileSystem(config.Folder)
	if err != nil {
		t.Fatal(err)
	}
	found, err := newMachine(config, idle).RootFsInfo()
	if size := host.Blocks * uint64(host.Bsize); err != nil || found.Available > size {
		t.Errorf("%d left on a disk of %d, %v", found.Available, size, err)
	}
}
