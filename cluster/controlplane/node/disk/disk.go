// Package disk gives a node a file system as large as its profile's disk: an image file, mounted
// where only the process that mounts it and what it starts see it.
package disk

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"
)

const (
	block     = 4096
	options   = "noinit_itable" // else the kernel would write all of its tables, in its own time
	mountedAs = unix.MS_NODEV | unix.MS_NOSUID

	pause = 20 * time.Millisecond
	limit = 3 * time.Second
)

// ErrLeft says that a node's disk is there and cannot be mounted: without it, what the node wrote
// in an earlier life would be gone.
var ErrLeft = errors.New("the disk of an earlier life of the node cannot be had")

// Disk is a file system of a node's own; Close ends it, with all that is on it.
type Disk struct {
	Folder string // where it is mounted
	image  string
}

// Mount makes the image where it is not there yet and mounts it. What an earlier life of the node
// wrote is there again, as on a machine that was started again.
//
// It fails where this machine allows no such thing, with the reason, and with ErrLeft where an
// earlier life had it.
func Mount(image, folder string, size int64) (*Disk, error) {
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return nil, err
	}
	size = size / block * block
	if info, err := os.Stat(image); err == nil && info.Size() == size {
		if err := again(image, folder); err != nil {
			return nil, fmt.Errorf("%w: %w", ErrLeft, err)
		}
		return &Disk{folder, image}, nil
	}
	if err := format(image, size); err != nil {
		return nil, err
	}
	if err := mount(image, folder); err != nil {
		return nil, errors.Join(err, os.Remove(image))
	}
	return &Disk{folder, image}, nil
}

// again mounts what an earlier life had, which may be letting go of it at this moment.
func again(image, folder string) error {
	for end := time.Now().Add(limit); ; time.Sleep(pause) {
		err := mount(image, folder)
		if err == nil || time.Now().After(end) {
			return err
		}
	}
}

func mount(image, folder string) error {
	device, err := attach(image)
	if err != nil {
		return fmt.Errorf("a loop device: %w", err)
	}
	defer device.Close() // the device keeps its image as long as it is mounted
	if err := unix.Mount(device.Name(), folder, "ext4", mountedAs, options); err != nil {
		return fmt.Errorf("mounting a file system: %w", err)
	}
	return nil
}

// Close takes it away; whoever has a file of it open keeps that until then.
func (d *Disk) Close() error {
	err := unix.Unmount(d.Folder, unix.MNT_DETACH)
	return errors.Join(err, os.Remove(d.image))
}

// format makes an image that takes no room of the host's until it is written to.
func format(image string, size int64) error {
	program, err := mkfs()
	if err != nil {
		return err
	}
	part := image + ".part"
	defer os.Remove(part) // gone where all went well
	file, err := os.Create(part)
	if err != nil {
		return err
	}
	if err := errors.Join(file.Truncate(size), file.Close()); err != nil {
		return err
	}
	// Without a journal: whoever is killed leaves the kernel, which keeps the file system whole.
	said, err := exec.Command(program, "-q", "-F", "-m", "0", "-b", fmt.Sprint(block), "-i", "65536",
		"-O", "^has_journal", "-E", "lazy_itable_init=1,nodiscard", part).CombinedOutput()
	if err != nil {
		return fmt.Errorf("mkfs.ext4: %w: %s", err, said)
	}
	return os.Rename(part, image)
}

func mkfs() (string, error) {
	for _, name := range []string{"mkfs.ext4", "/usr/sbin/mkfs.ext4", "/sbin/mkfs.ext4"} {
		if found, err := exec.LookPath(name); err == nil {
			return found, nil
		}
	}
	return "", errors.New("there is no mkfs.ext4")
}

// attached is the loop device that has the image already, empty where none has: an earlier life's
// may not have gone yet, and a file system must not be mounted from two.
func attached(image string) string {
	backed, _ := filepath.Glob("/sys/block/loop*/loop/backing_file")
	for _, file := range backed {
		text, err := os.ReadFile(file)
		if err == nil && string(text) == image+"\n" {
			return "/dev/" + filepath.Base(filepath.Dir(filepath.Dir(file)))
		}
	}
	return ""
}
