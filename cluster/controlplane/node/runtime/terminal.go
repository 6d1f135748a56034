package runtime

import (
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"
	"k8s.io/cri-streaming/pkg/streaming/remotecommand"
)

// openTerminal makes a pseudo-terminal: what is typed and shown here, and the program's own end.
func openTerminal() (here, theirs *os.File, err error) {
	here, err = os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		return nil, nil, fmt.Errorf("a terminal: %w", err)
	}
	number, err := unix.IoctlGetInt(int(here.Fd()), unix.TIOCGPTN)
	if err == nil {
		err = unix.IoctlSetPointerInt(int(here.Fd()), unix.TIOCSPTLCK, 0)
	}
	if err == nil {
		theirs, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|unix.O_NOCTTY, 0)
	}
	if err != nil {
		return nil, nil, errors.Join(fmt.Errorf("a terminal: %w", err), here.Close())
	}
	return here, theirs, nil
}

// follow gives the terminal each size that its user's window has.
func follow(terminal *os.File, sizes <-chan remotecommand.TerminalSize) {
	for size := range sizes {
		window := unix.Winsize{Row: size.Height, Col: size.Width}
		_ = unix.IoctlSetWinsize(int(terminal.Fd()), unix.TIOCSWINSZ, &window)
	}
}
