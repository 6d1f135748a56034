package identity

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// places where the stage may be mounted, in this process's mount namespace alone: they are on every
// Linux, open to everybody, and hold nothing that a node needs.
var places = []string{"/boot", "/media", "/srv", "/mnt"}

// Stage is where what a pod may see of this machine is mounted within its users' reach: the folders
// above (a home of root's, say) are not open to them, and what is the pod's there is shown as owned
// by the pod's ids.
type Stage struct{ folder string }

// NewStage mounts it where it hides none of `used`. Only in a mount namespace of this process's own:
// nobody else sees it, and it ends with the process.
func NewStage(used ...string) (*Stage, error) {
	if err := ownMounts(); err != nil {
		return nil, err
	}
	for _, place := range places {
		found, err := os.Lstat(place)
		if err != nil || !found.IsDir() || found.Mode().Perm()&0o001 == 0 || holds(place, used) {
			continue
		}
		if err := unix.Mount("kompute", place, "tmpfs", unix.MS_NOSUID|unix.MS_NODEV, "mode=0711"); err != nil {
			return nil, fmt.Errorf("a tmpfs on %s: %w", place, err)
		}
		return &Stage{place}, nil
	}
	return nil, fmt.Errorf("none of %s can be mounted on", strings.Join(places, ", "))
}

func ownMounts() error {
	own, err := os.Stat("/proc/self/ns/mnt")
	if err != nil {
		return err
	}
	parents, err := os.Stat(fmt.Sprintf("/proc/%d/ns/mnt", os.Getppid()))
	if err != nil {
		return err
	}
	if os.SameFile(own, parents) {
		return errors.New("this process has no mount namespace of its own")
	}
	return nil
}

func holds(place string, used []string) bool {
	for _, path := range used {
		if path == place || strings.HasPrefix(path, place+"/") {
			return true
		}
	}
	return false
}

// Hides says whether the stage lies above that path, which nothing can be taken from then.
func (s *Stage) Hides(path string) bool { return holds(s.folder, []string{filepath.Clean(path)}) }

// Set is what one container has on the stage.
type Set struct {
	folder string
	made   []string
	next   int // the name of what is mounted next
}

// Set makes a container's; its name is no other's.
func (s *Stage) Set(name string) (*Set, error) {
	folder := filepath.Join(s.folder, name)
	if err := os.Mkdir(folder, 0o711); err != nil {
		return nil, err
	}
	return &Set{folder: folder}, os.Chmod(folder, 0o711) // whatever the umask
}

// Show mounts `source` on the stage and gives its place there. With a user namespace, whatever lies
// there belongs to ids as the namespace maps them: what is root's to the pod's root, and what the
// pod's user 1000 writes to user 1000. Where the file system cannot do that, its error wraps
// ErrUnmapped.
func (s *Set) Show(source string, namespace *os.File) (string, error) {
	tree, err := unix.OpenTree(unix.AT_FDCWD, source,
		unix.OPEN_TREE_CLONE|unix.OPEN_TREE_CLOEXEC|unix.AT_RECURSIVE)
	if err != nil {
		return "", fmt.Errorf("%s: %w", source, err)
	}
	defer unix.Close(tree)
	if namespace != nil {
		attributes := unix.MountAttr{
			Attr_set:  unix.MOUNT_ATTR_IDMAP | unix.MOUNT_ATTR_NOSUID | unix.MOUNT_ATTR_NODEV,
			Userns_fd: uint64(namespace.Fd()),
		}
		if err := unix.MountSetattr(tree, "", unix.AT_EMPTY_PATH|unix.AT_RECURSIVE, &attributes); err != nil {
			return "", fmt.Errorf("%s: %w: %w", source, ErrUnmapped, err)
		}
	}
	target, err := s.target(source)
	if err != nil {
		return "", err
	}
	if err := unix.MoveMount(tree, "", unix.AT_FDCWD, target, unix.MOVE_MOUNT_F_EMPTY_PATH); err != nil {
		return "", fmt.Errorf("%s: %w", source, err)
	}
	s.made = append(s.made, target)
	return target, nil
}

// ErrUnmapped is of a file system, or a kernel, that has no mounts with other ids.
var ErrUnmapped = errors.New("its file system cannot be mounted with a pod's ids")

// target is a new file or folder, as the source is one.
func (s *Set) target(source string) (string, error) {
	found, err := os.Stat(source)
	if err != nil {
		return "", err
	}
	target := filepath.Join(s.folder, strconv.Itoa(s.next))
	s.next++
	if found.IsDir() {
		return target, os.Mkdir(target, 0o700)
	}
	return target, os.WriteFile(target, nil, 0o600)
}

// Close takes all of it away; what is in use lasts until it is not.
func (s *Set) Close() error {
	for ; len(s.made) > 0; s.made = s.made[1:] {
		if err := unix.Unmount(s.made[0], unix.MNT_DETACH); err != nil {
			return fmt.Errorf("%s: %w", s.made[0], err) // it shows what must not be removed below
		}
	}
	return os.RemoveAll(s.folder)
}

// Folder is where it is on the stage.
func (s *Set) Folder() string { return s.folder }
