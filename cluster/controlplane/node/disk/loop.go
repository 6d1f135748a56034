package disk

import (
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

const tries = 32 // others on this machine take loop devices, too

// attach gives the image to a loop device, which lets go of it once nobody has it mounted.
func attach(image string) (*os.File, error) {
	if name := attached(image); name != "" {
		device, err := os.OpenFile(name, os.O_RDWR, 0)
		if err != nil {
			return nil, err
		}
		if attached(image) == name { // open it keeps the image, but it may have let go before
			return device, nil
		}
		_ = device.Close()
	}
	backing, err := os.OpenFile(image, os.O_RDWR, 0)
	if err != nil {
		return nil, err
	}
	defer backing.Close() // the device has it by then
	control, err := os.OpenFile("/dev/loop-control", os.O_RDWR, 0)
	if err != nil {
		return nil, err
	}
	defer control.Close() // nothing was written
	for range tries {
		number, err := unix.IoctlRetInt(int(control.Fd()), unix.LOOP_CTL_GET_FREE)
		if err != nil {
			return nil, fmt.Errorf("/dev/loop-control: %w", err)
		}
		device, err := os.OpenFile(fmt.Sprintf("/dev/loop%d", number), os.O_RDWR, 0)
		if err != nil {
			return nil, err
		}
		config := unix.LoopConfig{Fd: uint32(backing.Fd())}
		config.Info.Flags = unix.LO_FLAGS_AUTOCLEAR
		err = unix.IoctlLoopConfigure(int(device.Fd()), &config)
		if err == nil {
			return device, nil
		}
		_ = device.Close()
		if !errors.Is(err, unix.EBUSY) {
			return nil, fmt.Errorf("%s: %w", device.Name(), err)
		}
	}
	return nil, errors.New("none is free")
}
