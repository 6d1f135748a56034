package runtime

import (
	"os/exec"
	"runtime"
)

// forker starts processes from one lasting thread: the kernel ends a bubblewrap when the *thread*
// that forked it ends, and Go ends threads.
type forker chan func()

func newForker() forker {
	work, _ := newForkerAfter(func() error { return nil })
	return work
}

// newForkerAfter has the thread prepare itself first; whatever it starts inherits that.
func newForkerAfter(prepare func() error) (forker, error) {
	work, prepared := make(forker), make(chan error)
	go func() {
		runtime.LockOSThread() // never unlocked: one that failed ends with what it changed
		err := prepare()
		prepared <- err
		if err != nil {
			return
		}
		for act := range work {
			act()
		}
	}()
	return work, <-prepared
}

func (f forker) start(command *exec.Cmd) error { return f.do(command.Start) }

// do acts on the thread.
func (f forker) do(act func() error) error {
	done := make(chan error)
	f <- func() { done <- act() }
	return <-done
}
