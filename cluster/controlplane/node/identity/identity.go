// Package identity gives each pod users and groups of its own on this machine, as a pod with a user
// namespace has them in Kubernetes: id N of a pod is id base+N of the machine, and no process of a
// pod is the machine's root.
package identity

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"syscall"

	"kompute.network/devnet/controlplane/node/reserve"
)

// Ids that a pod has: 0 to Ids-1, as many as Kubernetes gives to a user namespace.
const Ids = 1 << 16

// Bases are multiples of Ids in [lowest, highest): nobody hands out those (systemd's list of uids,
// "Users, Groups, UIDs and GIDs on systemd Systems", ends its container range below and has only
// reserved ones above).
const (
	lowest  = 0x7000_0000
	highest = 0x7fff_0000
	tries   = 1000
)

// Block of ids that no other pod of this machine has until it is released.
type Block struct {
	Base uint32
	mark *reserve.Mark
}

// Reserve takes a block that no other pod of this machine has.
func Reserve() (*Block, error) {
	for range tries {
		base := uint32(lowest + rand.IntN((highest-lowest)/Ids)*Ids)
		mark, err := reserve.Take("pod-ids", int64(base))
		if err == nil {
			return &Block{Base: base, mark: mark}, nil
		}
		if !errors.Is(err, reserve.ErrTaken) {
			return nil, fmt.Errorf("users for the pod: %w", err)
		}
	}
	return nil, fmt.Errorf("no free users for the pod after %d tries", tries)
}

// Release gives the block back; once is enough.
func (b *Block) Release() { b.mark.Release() }

// As is who a process is on this machine, by its ids in the pod.
func (b *Block) As(uid, gid int64, groups []int64) (*syscall.Credential, error) {
	made := &syscall.Credential{}
	for _, each := range append([]int64{uid, gid}, groups...) {
		if each < 0 || each >= Ids {
			return nil, fmt.Errorf("id %d: a pod has the ids 0 to %d", each, Ids-1)
		}
	}
	made.Uid, made.Gid = b.Base+uint32(uid), b.Base+uint32(gid)
	for _, each := range groups {
		made.Groups = append(made.Groups, b.Base+uint32(each))
	}
	return made, nil
}

// Own hands files that this process made (pipes, terminals, files in memory) to whom they serve, so
// that /dev/stdout can be opened by its name; a device like /dev/null stays the machine's.
func Own(as *syscall.Credential, files ...*os.File) error {
	for _, file := range files {
		if file == nil {
			continue
		}
		var seen syscall.Stat_t
		if err := syscall.Fstat(int(file.Fd()), &seen); err != nil {
			return err
		}
		const memoryDevices = 1 // their major number: null, zero, full, random
		if seen.Mode&syscall.S_IFMT == syscall.S_IFCHR && seen.Rdev>>8 == memoryDevices {
			continue
		}
		if err := file.Chown(int(as.Uid), int(as.Gid)); err != nil {
			return err
		}
	}
	return nil
}
