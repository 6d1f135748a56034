// Package lifecycle looks at the health of nodes of several kinds, each by a pace of its own:
// Kubernetes' own node lifecycle controller, once a kind. The controller manager's has one grace
// for all; light nodes by the thousand cannot renew leases as often as a real node's loss wants.
package lifecycle

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/kubernetes/pkg/controller/nodelifecycle"

	"kompute.network/devnet/controlplane/configfile"
)

const (
	startupGrace = time.Minute
	// Nodes are told lost as they are found, however many: the controller manager's flags say it
	// of all zones alike.
	evictionRate  = 100
	largeCluster  = 0
	unhealthyZone = 1.0
	requestRate   = 2000
)

// Config is the one file it is started with. The kubeconfig's path is absolute.
type Config struct {
	Kubeconfig string `json:"kubeconfig"`
	Kinds      []Kind `json:"kinds"`
}

// Kind is nodes of one label selector; no node may be of two.
type Kind struct {
	Selector           string `json:"selector"`
	PeriodMilliseconds int64  `json:"period_milliseconds"` // from look to look
	GraceMilliseconds  int64  `json:"grace_milliseconds"`  // without a sign of life
}

// NewCommand is `node-lifecycle --config FILE`, until SIGTERM.
func NewCommand() *cobra.Command {
	short := "Tell nodes that are lost: Kubernetes' node lifecycle controller, once a kind of node"
	return configfile.Command("node-lifecycle", short, "the kinds of nodes", ReadConfig, Run)
}

// ReadConfig reads and checks the file; all that is wrong with it is in the error.
func ReadConfig(file string) (Config, error) {
	return configfile.Read(file, "node-lifecycle", Config.check)
}

func (c Config) check() error {
	var faults []error
	if len(c.Kinds) == 0 {
		faults = append(faults, errors.New("kinds is empty"))
	}
	for n, kind := range c.Kinds {
		if _, err := labels.Parse(kind.Selector); err != nil || kind.Selector == "" {
			faults = append(faults, fmt.Errorf("kinds[%d].selector is none: %q", n, kind.Selector))
		}
		if kind.PeriodMilliseconds <= 0 || kind.GraceMilliseconds < kind.PeriodMilliseconds {
			faults = append(faults, fmt.Errorf(
				"kinds[%d]: a grace of %d ms at a period of %d ms",
				n, kind.GraceMilliseconds, kind.PeriodMilliseconds))
		}
	}
	return errors.Join(faults...)
}

// Run looks at the nodes until the context ends.
func Run(ctx context.Context, config Config) error {
	settings, err := clientcmd.BuildConfigFromFlags("", config.Kubeconfig)
	if err != nil {
		return fmt.Errorf("node-lifecycle: %w", err)
	}
	settings.QPS, settings.Burst = requestRate, 2*requestRate
	settings.ContentType = "application/vnd.kubernetes.protobuf"
	settings.AcceptContentTypes = "application/vnd.kubernetes.protobuf,application/json"
	client, err := kubernetes.NewForConfig(settings)
	if err != nil {
		return fmt.Errorf("node-lifecycle: %w", err)
	}
	for _, kind := range config.Kinds {
		if err := start(ctx, client, kind); err != nil {
			return fmt.Errorf("node-lifecycle of %s: %w", kind.Selector, err)
		}
	}
	<-ctx.Done()
	return nil
}

func start(ctx context.Context, client kubernetes.Interface, kind Kind) error {
	// The nodes are those of the kind. All else is everybody's, but not shared between kinds: the
	// controller indexes the pods' informer, which can be done once.
	all := informers.NewSharedInformerFactory(client, 0)
	own := informers.NewSharedInformerFactoryWithOptions(
		client, 0, informers.WithTweakListOptions(func(options *metav1.ListOptions) {
			options.LabelSelector = kind.Selector
		}))
	controller, err := nodelifecycle.NewNodeLifecycleController(
		ctx, all.Coordination().V1().Leases(), all.Core().V1().Pods(), own.Core().V1().Nodes(),
		all.Apps().V1().DaemonSets(), client,
		time.Duration(kind.PeriodMilliseconds)*time.Millisecond, startupGrace,
		time.Duration(kind.GraceMilliseconds)*time.Millisecond,
		evictionRate, evictionRate, largeCluster, unhealthyZone,
	)
	if err != nil {
		return err
	}
	all.Start(ctx.Done())
	own.Start(ctx.Done())
	go controller.Run(ctx)
	return nil
}
