// Package reserve keeps what one pod of this machine has from all others, whoever's devnet they are
// of: a number of some kind is one process's, and the kernel forgets it with the process.
package reserve

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"

	"golang.org/x/sys/unix"
)

// ErrTaken says that somebody has the number.
var ErrTaken = errors.New("it is taken")

// folders that every user of a machine may write to; the first there is holds the files. No pod sees
// one of them, which a name of the network would not be kept from.
var folders = []string{"/run/lock", "/tmp"}

// Mark is a number that is this process's until Release.
type Mark struct {
	file   *os.File
	number int64
	once   sync.Once
}

// Take a number of a kind, "pod-addresses" say. Its error wraps ErrTaken where somebody has it.
//
// What marks it is a lock of that byte of the kind's file: one file for all, which is never written
// and which it does not matter who owns.
func Take(kind string, number int64) (*Mark, error) {
	file, err := open(kind)
	if err != nil {
		return nil, fmt.Errorf("reservations of %s: %w", kind, err)
	}
	// Of the open file, not of the process: two pods of one node are kept apart as well.
	err = unix.FcntlFlock(file.Fd(), unix.F_OFD_SETLK, at(number, unix.F_WRLCK))
	if errors.Is(err, unix.EAGAIN) || errors.Is(err, unix.EACCES) {
		err = ErrTaken
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("number %d of %s: %w", number, kind, err), file.Close())
	}
	return &Mark{file: file, number: number}, nil
}

// Release gives it back; once is enough.
func (m *Mark) Release() {
	m.once.Do(func() {
		// Closing alone leaves it to a process that is forked at this moment, until that one's exec.
		_ = unix.FcntlFlock(m.file.Fd(), unix.F_OFD_SETLK, at(m.number, unix.F_UNLCK))
		_ = m.file.Close()
	})
}

func at(number int64, kind int16) *unix.Flock_t {
	return &unix.Flock_t{Type: kind, Start: number, Len: 1}
}

// File is where numbers of a kind are marked.
func File(kind string) (string, error) {
	for _, folder := range folders {
		found, err := os.Stat(folder)
		if err == nil && found.IsDir() && found.Mode()&os.ModeSticky != 0 && found.Mode().Perm() == 0o777 {
			return filepath.Join(folder, "kompute-"+kind), nil
		}
	}
	return "", fmt.Errorf("none of %q is a folder that everybody may write to", folders)
}

func open(kind string) (*os.File, error) {
	name, err := File(kind)
	if err != nil {
		return nil, err
	}
	file, err := openThere(name)
	if errors.Is(err, os.ErrNotExist) {
		if err := create(name); err != nil {
			return nil, err
		}
		file, err = openThere(name)
	}
	return file, err
}

// openThere creates nothing: the kernel may forbid that for a file of another user's.
func openThere(name string) (*os.File, error) {
	file, err := os.OpenFile(name, os.O_RDWR|unix.O_NOFOLLOW|unix.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	found, err := file.Stat()
	if err == nil && !found.Mode().IsRegular() {
		err = fmt.Errorf("%s is no plain file", name)
	}
	if err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return file, nil
}

// create has it appear with everybody's rights, whatever the umask.
func create(name string) error {
	made, err := os.CreateTemp(filepath.Dir(name), "kompute-")
	if err != nil {
		return err
	}
	defer os.Remove(made.Name())
	if err := errors.Join(made.Chmod(0o666), made.Close()); err != nil {
		return err
	}
	if err := os.Link(made.Name(), name); !errors.Is(err, os.ErrExist) {
		return err
	}
	return nil // somebody else's is as good
}
