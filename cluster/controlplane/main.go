// Controlplane is every program of a Kubernetes control plane in one binary, named by argv[0]:
// etcd, kube-apiserver, kube-controller-manager, kube-scheduler, metrics-server and kubectl, the
// kubelet of a node without containers (package node), and what light nodes need (light, lifecycle).
// They share 130 MB of code, one build and one module cache, and need no container image.
package main

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"
	"go.etcd.io/etcd/server/v3/etcdmain"
	genericapiserver "k8s.io/apiserver/pkg/server"
	_ "k8s.io/client-go/plugin/pkg/client/auth"
	"k8s.io/component-base/cli"
	"k8s.io/component-base/logs"
	_ "k8s.io/component-base/logs/json/register"
	_ "k8s.io/component-base/metrics/prometheus/clientgo"
	_ "k8s.io/component-base/metrics/prometheus/version"
	kubectl "k8s.io/kubectl/pkg/cmd"
	kubectlutil "k8s.io/kubectl/pkg/cmd/util"
	apiserver "k8s.io/kubernetes/cmd/kube-apiserver/app"
	controllermanager "k8s.io/kubernetes/cmd/kube-controller-manager/app"
	scheduler "k8s.io/kubernetes/cmd/kube-scheduler/app"
	metricsserver "sigs.k8s.io/metrics-server/cmd/metrics-server/app"

	"kompute.network/devnet/controlplane/await"
	"kompute.network/devnet/controlplane/lifecycle"
	"kompute.network/devnet/controlplane/light"
	"kompute.network/devnet/controlplane/node"
	"kompute.network/devnet/controlplane/start"
)

func main() {
	if err := start.Settle(start.After); err != nil {
		fmt.Fprintln(os.Stderr, "controlplane:", err)
		os.Exit(2)
	}
	var command *cobra.Command
	switch name := filepath.Base(os.Args[0]); name {
	case "etcd":
		etcdmain.Main(os.Args)
		return
	case "kubectl":
		logs.GlogSetter(kubectl.GetLogVerbosity(os.Args))
		kubectlutil.CheckErr(cli.RunNoErrOutput(kubectl.NewDefaultKubectlCommand()))
		return
	case "kube-apiserver":
		command = apiserver.NewAPIServerCommand()
	case "kube-controller-manager":
		command = await.ForServer(controllermanager.NewControllerManagerCommand())
	case "kube-scheduler":
		command = await.ForServer(scheduler.NewSchedulerCommand())
	case "kubelet":
		command = node.NewCommand()
	case "kwok":
		command = light.NewCommand()
	case "node-lifecycle":
		command = lifecycle.NewCommand()
	case "metrics-server":
		command = metricsserver.NewMetricsServerCommand(genericapiserver.SetupSignalHandler())
	default:
		fmt.Fprintf(os.Stderr, "controlplane: no component is called %q; run it by its name: etcd, "+
			"kube-apiserver, kube-controller-manager, kube-scheduler, metrics-server, kubelet, kwok, "+
			"node-lifecycle, kubectl\n", name)
		os.Exit(2)
	}
	os.Exit(cli.Run(command))
}
