package node

import (
	"context"
	"fmt"
	"os"
	"time"

	noopoteltrace "go.opentelemetry.io/otel/trace/noop"
	v1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	utilfeature "k8s.io/apiserver/pkg/util/feature"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/client-go/tools/record"
	kubeletapp "k8s.io/kubernetes/cmd/kubelet/app"
	"k8s.io/kubernetes/cmd/kubelet/app/options"
	"k8s.io/kubernetes/pkg/api/legacyscheme"
	"k8s.io/kubernetes/pkg/capabilities"
	"k8s.io/kubernetes/pkg/kubelet"
	kubeletconfig "k8s.io/kubernetes/pkg/kubelet/apis/config"
	kubeletutil "k8s.io/kubernetes/pkg/kubelet/util"
	"k8s.io/kubernetes/pkg/util/oom"
	"k8s.io/kubernetes/pkg/volume/util/hostutil"
	"k8s.io/kubernetes/pkg/volume/util/subpath"
	"k8s.io/mount-utils"

	"kompute.network/devnet/controlplane/node/cgroup"
	"kompute.network/devnet/controlplane/node/runtime"
)

const (
	// address is where the API server and metrics-server reach every kubelet of this machine.
	address      = "127.0.0.1"
	statusPeriod = 2 * time.Second  // only the kubelet takes back a NotReady that others wrote
	syncPeriod   = 10 * time.Second // until a changed ConfigMap is in its volume
	maxPods      = 110
	// How long a disk that has room again is still said to be full: the usual five minutes are for
	// machines on which a pod may fill it again at once.
	pressurePeriod = 5 * time.Second
)

// gates that are not on by themselves. All of them concern what is ours: statistics by the runtime,
// a job's stdout without its stderr, and a node of an ordinary user.
func gates() map[string]bool {
	return map[string]bool{
		"PodAndContainerStatsFromCRI": true,
		"PodLogsQuerySplitStreams":    true,
		"KubeletInUserNamespace":      true,
	}
}

func configuration(config Config) (*options.KubeletFlags, *kubeletconfig.KubeletConfiguration, error) {
	flags := options.NewKubeletFlags()
	flags.RootDirectory = config.onDisk("kubelet")
	flags.CertDirectory = config.onDisk("kubelet", "pki")
	flags.NodeLabels = config.Labels
	flags.MaxPerPodContainerCount = 1
	c, err := options.NewKubeletConfiguration()
	if err != nil {
		return nil, nil, err
	}
	c.FeatureGates = gates()
	c.Address, c.Port, c.ReadOnlyPort, c.HealthzPort = address, int32(config.Port), 0, 0
	c.TLSCertFile, c.TLSPrivateKeyFile = config.CertFile, config.KeyFile
	c.Authentication.Anonymous.Enabled = false
	c.Authentication.Webhook.Enabled = true
	c.Authentication.X509.ClientCAFile = config.ClientCAFile
	c.Authorization.Mode = kubeletconfig.KubeletAuthorizationModeWebhook
	c.PodLogsDir = config.below("pods")
	c.NodeLeaseDurationSeconds = config.LeaseSeconds
	c.NodeStatusUpdateFrequency = metav1.Duration{Duration: statusPeriod}
	c.SyncFrequency = metav1.Duration{Duration: syncPeriod}
	c.MaxPods, c.PodPidsLimit = maxPods, podPids
	c.ConfigMapAndSecretChangeDetectionStrategy = kubeletconfig.WatchChangeDetectionStrategy
	c.CrashLoopBackOff.MaxContainerRestartPeriod = &metav1.Duration{
		Duration: time.Duration(config.RestartSeconds) * time.Second,
	}
	c.RegisterNode, c.EnableControllerAttachDetach = true, false
	c.CgroupsPerQOS, c.EnforceNodeAllocatable = false, nil // groups are the runtime's
	c.CPUCFSQuota = true
	c.MakeIPTablesUtilChains = false // the host's packets are not the node's
	c.FailCgroupV1 = false
	c.FailSwapOn = false
	c.ContainerRuntimeEndpoint = "unix:///none" // it is in this process
	c.ResolverConfig = "/etc/resolv.conf"
	// A full node is the kernel's to end, in its control group; a full disk is evicted from.
	c.EvictionHard = map[string]string{"nodefs.available": "1%"}
	c.EvictionPressureTransitionPeriod = metav1.Duration{Duration: pressurePeriod}
	c.ShutdownGracePeriod, c.ShutdownGracePeriodCriticalPods = metav1.Duration{}, metav1.Duration{}
	return flags, c, nil
}

func clients(config Config) (deps kubelet.Dependencies, err error) {
	base, err := clientcmd.BuildConfigFromFlags("", config.Kubeconfig)
	if err != nil {
		return deps, fmt.Errorf("the way to the API server: %w", err)
	}
	base.QPS, base.Burst = 500, 1000
	events := rest.CopyConfig(base)
	events.QPS, events.Burst = 50, 100
	// Nothing may queue before a lease, and none is worth waiting for longer than it holds.
	heartbeats := rest.CopyConfig(base)
	heartbeats.QPS, heartbeats.Timeout = -1, time.Duration(config.LeaseSeconds)*time.Second
	if deps.KubeClient, err = kubernetes.NewForConfig(base); err != nil {
		return deps, err
	}
	if deps.HeartbeatClient, err = kubernetes.NewForConfig(heartbeats); err != nil {
		return deps, err
	}
	eventClient, err := kubernetes.NewForConfig(events)
	if err != nil {
		return deps, err
	}
	deps.EventClient = eventClient.CoreV1()
	deps.OnHeartbeatFailure = func() {}
	return deps, nil
}

func dependencies(
	ctx context.Context, config Config, flags *options.KubeletFlags,
	c *kubeletconfig.KubeletConfiguration, service *runtime.Service, group *cgroup.Group, rights rights,
) (*kubelet.Dependencies, error) {
	deps, err := clients(config)
	if err != nil {
		return nil, err
	}
	if deps.TLSOptions, err = kubeletapp.InitializeTLS(ctx, flags, c); err != nil {
		return nil, err
	}
	auth, reload, err := kubeletapp.BuildAuth(types.NodeName(config.Node), deps.KubeClient, *c)
	if err != nil {
		return nil, err
	}
	reload(ctx.Done())
	plugins, err := kubeletapp.ProbeVolumePlugins(ctx, utilfeature.DefaultFeatureGate)
	if err != nil {
		return nil, err
	}
	broadcaster := record.NewBroadcaster(record.WithContext(ctx))
	deps.Recorder = broadcaster.NewRecorder(
		legacyscheme.Scheme, v1.EventSource{Component: "kubelet", Host: config.Node})
	broadcaster.StartStructuredLogging(3)
	broadcaster.StartRecordingToSink(sink(deps))
	mounter := mount.New("")
	deps.Auth = auth
	deps.CAdvisorInterface = newMachine(config, usageOf(group, service))
	deps.ContainerManager = newResources(config.Capacity, service, admission{rights, config.folders()})
	deps.Mounter, deps.Subpather, deps.HostUtil = mounter, subpath.New(mounter), hostutil.NewHostUtil()
	if config.Unsandboxed {
		deps.HostUtil = plainHost{deps.HostUtil}
		toleratesNoKernelLog()
	}
	deps.OOMAdjuster = oom.NewOOMAdjuster()
	deps.OSInterface = hostFiles{}
	deps.VolumePlugins = plugins
	deps.TracerProvider = noopoteltrace.NewTracerProvider()
	deps.RemoteRuntimeService, deps.RemoteImageService = service, runtime.NewImages(config.Folder, rights.uid())
	deps.PodStartupLatencyTracker = kubeletutil.NewPodStartupLatencyTracker()
	deps.NodeStartupLatencyTracker = kubeletutil.NewNodeStartupLatencyTracker()
	deps.Options = []kubelet.Option{func(made *kubelet.Kubelet) {
		service.OnChange(func(uid string) { made.RequestPodRelist(types.UID(uid)) })
		service.OnStart(admission{rights, config.folders()}.lateAdmission(made))
	}}
	return &deps, nil
}

// usageOf is how the node's use is asked for: of its control group, else of its pods' processes.
func usageOf(group *cgroup.Group, service *runtime.Service) func() (cgroup.Usage, error) {
	if group != nil {
		return group.Usage
	}
	return func() (cgroup.Usage, error) { return service.Usage(), nil }
}

// start makes the kubelet of upstream's code with our machine, resources and runtime, and sets it
// going.
func start(
	ctx context.Context, config Config, service *runtime.Service, group *cgroup.Group, rights rights,
) error {
	flags, c, err := configuration(config)
	if err != nil {
		return err
	}
	if err := utilfeature.DefaultMutableFeatureGate.SetFromMap(c.FeatureGates); err != nil {
		return err
	}
	capabilities.Initialize(capabilities.Capabilities{AllowPrivileged: true}) // admission has its say
	for _, folder := range []string{flags.RootDirectory, c.PodLogsDir} {
		if err := os.MkdirAll(folder, 0o750); err != nil {
			return err
		}
	}
	deps, err := dependencies(ctx, config, flags, c, service, group, rights)
	if err != nil {
		return err
	}
	made, err := kubelet.NewMainKubelet(
		ctx, c, deps, &flags.ContainerRuntimeOptions,
		// By its "host name" the kubelet knows its own address; the label of that name is ours.
		address, types.NodeName(config.Node), nil,
		"process://"+config.Node, "", flags.CertDirectory, flags.RootDirectory, c.PodLogsDir,
		"", "", true, nil, nil, "", false, false,
		flags.MinimumGCAge, flags.MaxPerPodContainerCount, flags.MaxContainerCount, flags.NodeLabels,
		c.NodeStatusMaxImages, true, // RuntimeDefault for whoever says nothing of seccomp
	)
	if err != nil {
		return fmt.Errorf("kubelet: %w", err)
	}
	made.BirthCry()
	made.StartGarbageCollection(ctx)
	go made.Run(ctx, deps.PodConfig.Updates())
	go made.ListenAndServe(ctx, c, deps.TLSConfig, deps.Auth, deps.TracerProvider)
	return nil
}
