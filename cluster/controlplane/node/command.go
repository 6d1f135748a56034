// Package node is a Kubernetes node without containers: the kubelet's own code as a library, on a
// machine shaped like a hardware profile, with a runtime of sandboxed processes.
package node

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"
	genericapiserver "k8s.io/apiserver/pkg/server"
	v1core "k8s.io/client-go/kubernetes/typed/core/v1"
	"k8s.io/klog/v2"
	"k8s.io/kubernetes/pkg/kubelet"

	"kompute.network/devnet/controlplane/node/runtime"
)

const closeLimit = 4 * time.Second

// NewCommand is `kubelet --config FILE`: one node until SIGTERM; or `--try FOLDER`: what would hold.
func NewCommand() *cobra.Command {
	var file, trial, bubblewrap string
	var unsandboxed bool
	command := &cobra.Command{
		Use:          "kubelet --config FILE",
		Short:        "Run one node of a devnet: a kubelet whose pods are sandboxed processes",
		Args:         cobra.NoArgs,
		SilenceUsage: true,
		RunE: func(command *cobra.Command, _ []string) error {
			if trial != "" {
				return Try(trial, bubblewrap, unsandboxed, command.OutOrStdout())
			}
			config, err := ReadConfig(file)
			if err != nil {
				return err
			}
			return Run(genericapiserver.SetupSignalContext(), config)
		},
	}
	command.Flags().StringVar(&file, "config", "", "the node's configuration, a JSON file")
	command.Flags().StringVar(&trial, "try", "", "an empty folder: say what would hold on a node there, and end")
	command.Flags().StringVar(&bubblewrap, "bubblewrap", "", "with --try: the program that sandboxes")
	command.Flags().BoolVar(&unsandboxed, "unsandboxed", false, "with --try: pods would be plain processes")
	command.MarkFlagsMutuallyExclusive("config", "unsandboxed")
	command.MarkFlagsMutuallyExclusive("bubblewrap", "unsandboxed")
	command.MarkFlagsOneRequired("config", "try")
	command.MarkFlagsMutuallyExclusive("config", "try")
	return command
}

// Run is the life of a node; it returns with every pod ended once the context has.
func Run(ctx context.Context, config Config) error {
	sized := config.sizesDisk()
	if err := config.completeDisk(); err != nil {
		return err
	}
	group, holds, err := limitNode(config)
	if err != nil {
		return err
	}
	unlimited := func(err error) error {
		if group != nil {
			err = errors.Join(err, group.Close())
		}
		return err
	}
	own, err := ownDisk(&config, sized, &holds)
	if err != nil {
		return unlimited(err)
	}
	rights := findRights(config)
	rights.say(&holds)
	if err := holds.holdsStill(config.Enforcement); err != nil {
		return unlimited(err) // its disk stays as it is: whoever makes the machine whole has it again
	}
	service, err := runtime.New(runtime.Options{
		Bubblewrap: config.Bubblewrap, Unsandboxed: config.Unsandboxed, Node: config.Node,
		Folder: config.onDisk(), Visible: config.Visible,
		Hidden: config.Hidden, Path: config.Path, DevnetID: config.DevnetID, Group: group,
		PodPids: podPids, Machine: rights.machine, MayName: config.folders().check,
	})
	if err != nil {
		return err
	}
	if err := holds.write(config.Enforcement); err != nil {
		return fmt.Errorf("what holds on the node: %w", err)
	}
	go keepPace(ctx, config.Pace, group)
	klog.FromContext(ctx).Info("starting", "node", config.String())
	// The kubelet goes on until the very end: whatever it starts anew is ended too.
	if err := start(context.WithoutCancel(ctx), config, service, group, rights); err != nil {
		return err
	}
	<-ctx.Done()
	closing, cancel := context.WithTimeout(context.Background(), closeLimit)
	defer cancel()
	err = service.Close(closing)
	if group != nil {
		err = errors.Join(err, group.Close())
	}
	if own != nil {
		err = errors.Join(err, own.Close())
	}
	return err
}

func sink(deps kubelet.Dependencies) *v1core.EventSinkImpl {
	return &v1core.EventSinkImpl{Interface: deps.EventClient.Events("")}
}
