package light

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"time"

	"github.com/spf13/cobra"
	v1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/utils/clock"
	nodestage "sigs.k8s.io/kwok/kustomize/stage/node/fast"
	heartbeat "sigs.k8s.io/kwok/kustomize/stage/node/heartbeat-with-lease"
	podstage "sigs.k8s.io/kwok/kustomize/stage/pod/fast"
	"sigs.k8s.io/kwok/pkg/apis/internalversion"
	"sigs.k8s.io/kwok/pkg/client/clientset/versioned"
	"sigs.k8s.io/kwok/pkg/config"
	"sigs.k8s.io/kwok/pkg/kwok/controllers"
	"sigs.k8s.io/kwok/pkg/log"
	"sigs.k8s.io/kwok/pkg/utils/client"
	"sigs.k8s.io/kwok/pkg/utils/informer"

	"kompute.network/devnet/controlplane/configfile"
)

const (
	lookEvery = 200 * time.Millisecond // at what kwok has cached: it costs the API server nothing
	// holder of the leases. kwok's own is another in each life, which then waits for all leases to
	// run out; here there is one kwok at a time.
	holder = "kwok"
)

// NewCommand is `kwok --config FILE`: all light nodes of a devnet until SIGTERM.
func NewCommand() *cobra.Command {
	short := "Play the light nodes of a devnet: kwok's controllers over the nodes of the file"
	return configfile.Command("kwok", short, "the light nodes' configuration", ReadConfig, Run)
}

// Run plays the nodes until the context ends; the nodes stay in the API.
func Run(ctx context.Context, config Config) error {
	// A line for each node and lease is what kwok says at its usual level.
	ctx = log.NewContext(ctx, log.NewLogger(os.Stderr, log.LevelWarn))
	connection, err := client.NewClientset("", config.Kubeconfig)
	if err != nil {
		return fmt.Errorf("light nodes: %w", err)
	}
	settings, err := connection.ToRESTConfig()
	if err != nil {
		return fmt.Errorf("light nodes: %w", err)
	}
	nodes, err := kubernetes.NewForConfig(settings)
	if err != nil {
		return fmt.Errorf("light nodes: %w", err)
	}
	controller, err := controllerOf(connection, settings, nodes, config)
	if err != nil {
		return fmt.Errorf("light nodes: %w", err)
	}
	if err := controller.Start(ctx); err != nil {
		return fmt.Errorf("light nodes: %w", err)
	}
	if err := register(ctx, nodes, config); err != nil {
		return err
	}
	if err := tellReady(ctx, controller.GetNodeCache(), config); err != nil {
		return fmt.Errorf("light nodes: %w", err)
	}
	<-ctx.Done()
	return nil
}

func controllerOf(
	connection client.Clientset, settings *rest.Config, nodes kubernetes.Interface, own Config,
) (*controllers.Controller, error) {
	stages, err := stages()
	if err != nil {
		return nil, err
	}
	mapper, err := connection.ToRESTMapper()
	if err != nil {
		return nil, err
	}
	raw, err := rest.RESTClientFor(settings)
	if err != nil {
		return nil, err
	}
	documents, err := dynamic.NewForConfig(settings)
	if err != nil {
		return nil, err
	}
	kwoks, err := versioned.NewForConfig(settings)
	if err != nil {
		return nil, err
	}
	return controllers.NewController(controllers.Config{
		Clock:                        clock.RealClock{},
		DynamicClient:                documents,
		RESTClient:                   raw,
		RESTMapper:                   mapper,
		ImpersonatingDynamicClient:   connection.ToImpersonatingDynamicClient(),
		ImpersonatingTypedClient:     connection.ToImpersonatingTypedClient(),
		TypedClient:                  nodes,
		TypedKwokClient:              kwoks,
		ManageNodesWithLabelSelector: own.Label,
		LocalStages:                  stages,
		CIDR:                         "10.0.0.1/24", // kwok's own: nothing answers there
		PodPlayStageParallelism:      atOnce,
		NodePlayStageParallelism:     atOnce,
		NodeLeaseParallelism:         atOnce,
		NodeLeaseDurationSeconds:     own.LeaseSeconds,
		PodsOnNodeSyncParallelism:    1,
		ID:                           holder,
	})
}

// stages are kwok's own: nodes become ready and stay it, pods run at once, jobs complete at once.
func stages() (map[internalversion.StageResourceRef][]*internalversion.Stage, error) {
	found := map[internalversion.StageResourceRef][]*internalversion.Stage{}
	for _, text := range []string{
		nodestage.DefaultNodeInit, heartbeat.DefaultNodeHeartbeatWithLease,
		podstage.DefaultPodReady, podstage.DefaultPodComplete, podstage.DefaultPodDelete,
	} {
		stage, err := config.UnmarshalWithType[*internalversion.Stage](text)
		if err != nil {
			return nil, fmt.Errorf("kwok's own stage: %w", err)
		}
		found[stage.Spec.ResourceRef] = append(found[stage.Spec.ResourceRef], stage)
	}
	return found, nil
}

// tellReady writes how many nodes are ready until all are.
func tellReady(ctx context.Context, nodes informer.Getter[*v1.Node], config Config) error {
	wished := config.count()
	return wait.PollUntilContextCancel(ctx, lookEvery, true, func(context.Context) (bool, error) {
		count := 0
		for _, node := range nodes.List() {
			if ready(node) {
				count++
			}
		}
		text, err := json.Marshal(map[string]int{"pid": os.Getpid(), "ready": count, "wished": wished})
		if err != nil {
			return false, err
		}
		return count >= wished, replace(config.Statement, text)
	})
}

// replace writes a file in one go: nobody reads half of it.
func replace(path string, text []byte) error {
	if err := os.WriteFile(path+".new", text, 0o644); err != nil {
		return err
	}
	return os.Rename(path+".new", path)
}
