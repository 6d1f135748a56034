package node

import (
	"errors"
	"fmt"

	v1 "k8s.io/api/core/v1"

	"kompute.network/devnet/controlplane/node/disk"
)

// ownDisk mounts a file system of the profile's size for all that pods write, and says what holds;
// none, and why, where the machine does not allow it or the profile says nothing of its disk.
//
// It fails where an earlier life of the node had one that cannot be had again.
func ownDisk(config *Config, sized bool, said *enforcement) (*disk.Disk, error) {
	if !sized {
		return nil, nil
	}
	if config.Unsandboxed { // its kubelet has no mounts of its own, and its pods see the host's
		said.hostsDisk("it is unsandboxed")
		return nil, nil
	}
	size := config.quantity(v1.ResourceEphemeralStorage)
	made, err := disk.Mount(config.below("disk.img"), config.below("disk"), size.Value())
	if errors.Is(err, disk.ErrLeft) {
		return nil, err
	}
	if err != nil {
		said.hostsDisk(cause(err).Error())
		return nil, nil
	}
	config.disk = made.Folder
	said.Enforced = append(said.Enforced, "A node's disk is as large as its profile says.")
	return made, nil
}

// hostsDisk says what holds of a node without a disk of its own, and why it has none.
func (e *enforcement) hostsDisk(why string) {
	e.Narrowed = append(e.Narrowed, fmt.Sprintf("A node's disk is the host's: who writes beyond its size, or beyond "+
		"a pod's ephemeral-storage, is evicted, but has written it (%s).", why))
}
