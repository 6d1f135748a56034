package identity

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"syscall"

	"golang.org/x/sys/unix"
)

// Namespace makes a user namespace of the block's ids for a process of that uid in it. The process
// itself may enter it with every capability there, which the kernel allows its maker alone: so its
// maker has the process's id, while it keeps the right to write the whole map.
func (b *Block) Namespace(uid uint32) (*os.File, error) {
	type result struct {
		file *os.File
		err  error
	}
	made := make(chan result)
	go func() {
		runtime.LockOSThread() // never unlocked: the thread ends with its changed id
		file, err := b.namespace(b.Base + uid)
		made <- result{file, err}
	}()
	done := <-made
	if done.err != nil {
		return nil, fmt.Errorf("a user namespace: %w", done.err)
	}
	return done.file, nil
}

func (b *Block) namespace(maker uint32) (*os.File, error) {
	if err := actAs(maker); err != nil {
		return nil, err
	}
	ids := []syscall.SysProcIDMap{{ContainerID: 0, HostID: int(b.Base), Size: Ids}}
	holder := exec.Command("cat") // holds it until it is opened here
	holder.Dir = "/"
	holder.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags: syscall.CLONE_NEWUSER, UidMappings: ids, GidMappings: ids,
		GidMappingsEnableSetgroups: true, Pdeathsig: syscall.SIGKILL,
	}
	release, err := holder.StdinPipe()
	if err != nil {
		return nil, err
	}
	if err := holder.Start(); err != nil {
		return nil, err
	}
	file, err := os.Open(fmt.Sprintf("/proc/%d/ns/user", holder.Process.Pid))
	return file, errors.Join(err, release.Close(), holder.Wait())
}

// actAs changes the effective uid of this thread and keeps its capabilities.
func actAs(uid uint32) error {
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var capabilities [2]unix.CapUserData
	if err := unix.Capget(&header, &capabilities[0]); err != nil {
		return err
	}
	const same = ^uintptr(0)
	// Not unix.Setresuid, which changes all threads.
	if _, _, number := unix.RawSyscall(unix.SYS_SETRESUID, same, uintptr(uid), same); number != 0 {
		return fmt.Errorf("setresuid: %w", number)
	}
	return unix.Capset(&header, &capabilities[0])
}

// By runs an act by somebody's real ids, whom the kernel then lets change that one's own processes;
// with nobody it just runs it.
func By(as *syscall.Credential, act func() error) error {
	if as == nil {
		return act()
	}
	done := make(chan error)
	go func() {
		runtime.LockOSThread() // never unlocked: the thread ends with its changed ids
		const same = ^uintptr(0)
		for call, id := range map[uintptr]uint32{unix.SYS_SETRESGID: as.Gid, unix.SYS_SETRESUID: as.Uid} {
			if _, _, number := unix.RawSyscall(call, uintptr(id), same, same); number != 0 {
				done <- fmt.Errorf("as another user: %w", number)
				return
			}
		}
		done <- act()
	}()
	return <-done
}
