package disk

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

const size = 64 << 20

func mounted(t *testing.T, image, folder string) *Disk {
	t.Helper()
	made, err := Mount(image, folder, size)
	if err != nil {
		t.Skipf("no disk of its own here: %v", err)
	}
	return made
}

func TestADiskIsAsLargeAsItsProfileSaysAndFullBeyondIt(t *testing.T) {
	image, folder := filepath.Join(t.TempDir(), "disk.img"), filepath.Join(t.TempDir(), "disk")
	made := mounted(t, image, folder)
	defer func() {
		if err := made.Close(); err != nil {
			t.Error(err)
		}
		if left, _ := os.ReadDir(filepath.Dir(image)); len(left) != 0 {
			t.Errorf("left: %v", left)
		}
	}()
	var seen syscall.Statfs_t
	if err := syscall.Statfs(folder, &seen); err != nil {
		t.Fatal(err)
	}
	free := int64(seen.Bavail) * seen.Bsize
	if free > size || free < size*95/100 {
		t.Errorf("%d bytes are free of %d", free, size)
	}
	var host syscall.Stat_t
	if err := syscall.Stat(image, &host); err != nil {
		t.Fatal(err)
	}
	if taken := host.Blocks * 512; taken > size/16 {
		t.Errorf("an empty disk takes %d bytes of the host's", taken)
	}

	file, err := os.Create(filepath.Join(folder, "much"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close() // it was not written whole
	if err := unix.Fallocate(int(file.Fd()), 0, 0, size); !errors.Is(err, unix.ENOSPC) {
		t.Errorf("more than there is: %v", err)
	}
}

func TestWhatWasWrittenIsThereAgainInAnotherLife(t *testing.T) {
	image, folder := filepath.Join(t.TempDir(), "disk.img"), filepath.Join(t.TempDir(), "disk")
	first := mounted(t, image, folder)
	word := filepath.Join(folder, "word")
	if err := os.WriteFile(word, []byte("kept"), 0o600); err != nil {
		t.Fatal(err)
	}
	// An earlier life that is still there: the second mount has the same device.
	elsewhere := filepath.Join(t.TempDir(), "again")
	again := mounted(t, image, elsewhere)
	if text, err := os.ReadFile(filepath.Join(elsewhere, "word")); string(text) != "kept" {
		t.Errorf("beside it: %q, %v", text, err)
	}
	if err := unix.Unmount(again.Folder, 0); err != nil {
		t.Fatal(err)
	}
	if err := unix.Unmount(first.Folder, 0); err != nil {
		t.Fatal(err)
	}
	second := mounted(t, image, folder)
	if text, err := os.ReadFile(word); string(text) != "kept" {
		t.Errorf("after it: %q, %v", text, err)
	}
	if err := second.Close(); err != nil {
		t.Fatal(err)
	}
	for end := time.Now().Add(limit); holders(t, image) != "" && time.Now().Before(end); {
		time.Sleep(pause)
	}
	if devices := holders(t, image); devices != "" {
		t.Errorf("it is held still: %s", devices)
	}
}

// holders are the loop devices that have the image, one that was removed too.
func holders(t *testing.T, image string) (devices string) {
	t.Helper()
	backed, err := filepath.Glob("/sys/block/loop*/loop/backing_file")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range backed {
		text, err := os.ReadFile(file)
		if err == nil && strings.HasPrefix(string(text), image) {
			devices += file + " "
		}
	}
	return devices
}

func TestWhatAnEarlierLifeHadIsNotGivenUp(t *testing.T) {
	image, folder := filepath.Join(t.TempDir(), "disk.img"), filepath.Join(t.TempDir(), "disk")
	if err := mounted(t, image, folder).Close(); err != nil { // it can be had here
		t.Fatal(err)
	}
	for bytes, wanted := range map[int64]error{size: ErrLeft, size / 2: nil} { // of another profile
		file, err := os.Create(image)
		if err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(file.Truncate(bytes), file.Close()); err != nil {
			t.Fatal(err)
		}
		made, err := Mount(image, folder, size)
		if !errors.Is(err, wanted) {
			t.Errorf("an image of %d bytes: %v, wanted %v", bytes, err, wanted)
		}
		if made != nil {
			if err := made.Close(); err != nil {
				t.Error(err)
			}
		}
		_ = os.Remove(image)
	}
}
