package runtime

import (
	"os/exec"
	"runtime"
)

// forker starts processes from one lasting thread: the kernel ends a bubblewrap when the *thread*
// that forked it ends, and Go ends threads.
type forker chan func()

func newForker() forker {
	work := make(forker)
	go func() {
		runtime.LockOSThread()
		for start := range work {
			start()
		}
	}()
	return work
}

func (f forker) start(command *exec.Cmd) error {
	started := make(chan error)
	f <- func() { started <- command.Start() }
	return <-started
}
