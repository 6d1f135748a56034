package node

import (
	"bytes"
	"errors"
	"os"
	"strings"
	"testing"

	v1 "k8s.io/api/core/v1"
)

// withDisk is a node of 64 MiB, with a disk of its own where this machine allows one.
func withDisk(t *testing.T, unsandboxed bool) (Config, enforcement) {
	t.Helper()
	config, err := read(t, good)
	if err != nil {
		t.Fatal(err)
	}
	config.Folder, config.Unsandboxed = t.TempDir(), unsandboxed
	config.Capacity[v1.ResourceEphemeralStorage] = quantity(t, "64Mi")
	var said enforcement
	made, err := ownDisk(&config, true, &said)
	if err != nil {
		t.Fatal(err)
	}
	if made != nil {
		t.Cleanup(func() {
			if err := made.Close(); err != nil {
				t.Error(err)
			}
		})
	}
	return config, said
}

func TestADiskOfItsOwnIsAsFullAsWhatIsOnIt(t *testing.T) {
	config, said := withDisk(t, false)
	if config.disk == "" {
		t.Skipf("no disk of its own here: %q", said.Narrowed)
	}
	if len(said.Narrowed) != 0 || len(said.Enforced) != 1 {
		t.Errorf("%+v", said)
	}
	node := newMachine(config, idle)
	written := bytes.Repeat([]byte{1}, 8<<20)
	for _, row := range []struct {
		file      string
		megabytes uint64
	}{{config.onDisk("volume"), 8}, {config.below("log"), 0}} {
		before, err := node.RootFsInfo()
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(row.file, written, 0o600); err != nil {
			t.Fatal(err)
		}
		file, err := os.Open(config.onDisk())
		if err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(file.Sync(), file.Close()); err != nil {
			t.Fatal(err)
		}
		after, err := node.RootFsInfo()
		if err != nil {
			t.Fatal(err)
		}
		more, less := after.Usage-before.Usage, before.Available-after.Available
		if after.Capacity != 64<<20 || more>>20 != row.megabytes || less>>20 != row.megabytes {
			t.Errorf("with %s: %d more used, %d less left of %d", row.file, more, less, after.Capacity)
		}
	}
}

func TestAnUnsandboxedNodeMountsNothing(t *testing.T) {
	config, said := withDisk(t, true)
	if config.disk != "" || len(said.Enforced) != 0 {
		t.Errorf("%s, %+v", config.disk, said)
	}
	if len(said.Narrowed) != 1 || !strings.HasSuffix(said.Narrowed[0], " (it is unsandboxed).") {
		t.Errorf("%q", said.Narrowed)
	}
}
