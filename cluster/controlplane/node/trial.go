package node

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"

	v1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"

	"kompute.network/devnet/controlplane/node/cgroup"
	"kompute.network/devnet/controlplane/node/runtime"
)

// Try writes, as a node does, what would hold on one that is started here: it makes what a node
// makes for its pods in an empty folder, and takes it away again.
func Try(folder, bubblewrap string, unsandboxed bool, to io.Writer) error {
	if unsandboxed {
		if err := runtime.TryPlain(); err != nil {
			return err
		}
	}
	config := Config{
		DevnetID: fmt.Sprintf("trial-%d", os.Getpid()), Node: "trial", Folder: folder, Bubblewrap: bubblewrap,
		Unsandboxed: unsandboxed,
		Capacity: v1.ResourceList{
			v1.ResourceCPU: resource.MustParse("1"), v1.ResourceMemory: resource.MustParse("1Gi"),
			v1.ResourceEphemeralStorage: resource.MustParse("64Mi"),
		},
	}
	group, holds, err := limitNode(config)
	if err != nil {
		return err
	}
	own, err := ownDisk(&config, true, &holds)
	if err != nil {
		return err
	}
	findRights(config).say(&holds)
	if own != nil {
		err = own.Close()
	}
	if err := errors.Join(err, os.RemoveAll(config.below("disk"))); err != nil {
		return err
	}
	if group != nil {
		err := group.Close()
		around, made := cgroup.New("kompute-"+config.DevnetID, cgroup.Limits{})
		if made == nil {
			made = around.Close()
		}
		if err := errors.Join(err, made); err != nil {
			return err
		}
	}
	return json.NewEncoder(to).Encode(holds)
}
