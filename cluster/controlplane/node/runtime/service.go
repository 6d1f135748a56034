// Package runtime is a container runtime of processes: what the kubelet asks of one by CRI, done by
// bubblewrap, control groups and pipes, in the kubelet's own process.
//
// A container's "image" is a folder of this machine with the machine's own programs around it.
package runtime

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	internalapi "k8s.io/cri-api/pkg/apis"
	cri "k8s.io/cri-api/pkg/apis/runtime/v1"
	"k8s.io/cri-streaming/pkg/streaming"

	"kompute.network/devnet/controlplane/node/cgroup"
	"kompute.network/devnet/controlplane/node/identity"
	"kompute.network/devnet/controlplane/node/sandbox"
)

// Name is how the node tells of its runtime, before its version.
const (
	Name    = "process"
	Version = "1.0.0"
)

// Options of a runtime; paths are absolute.
type Options struct {
	Bubblewrap string
	// Unsandboxed: containers are plain processes of this process's user, see plain.go.
	Unsandboxed bool
	Node        string   // its name
	Folder      string   // the node's own, for what containers write
	Visible     []string // paths of the host that every container sees, read-only
	Hidden      []string // folders of the host that no container sees, wherever they lie
	// MayName says why a pod may not name a folder: its annotation can be another one by now than
	// the one it was taken with. Nil: each may be named.
	MayName  func(folder string) error
	Path     string // PATH in a container
	DevnetID string // in the environment of every process, so that leftovers are found
	Group    *cgroup.Group
	PodPids  int64
	Machine  *identity.Machine // nil where pods have this process's own id
}

// Service is the runtime. Its methods that CRI names are safe for many callers.
type Service struct {
	options Options
	forker  forker
	filter  []byte        // of system calls
	plain   *plainForkers // nil with a sandbox
	streams streaming.Server
	program string // bubblewrap, where a pod's users reach it
	visible []sandbox.Mount

	mu         sync.Mutex
	sandboxes  map[string]*sandboxed
	containers map[string]*container
	changed    func(podUID string)
	allowed    func(namespace, pod, container string) error
	closing    bool   // nothing is started any more
	spent      uint64 // processor time of containers that have ended, in nanoseconds
}

var _ internalapi.RuntimeService = (*Service)(nil)

// New starts a runtime, which ends with its process.
func New(options Options) (*Service, error) {
	filter, err := sandbox.Filter()
	if err != nil {
		return nil, err
	}
	service := &Service{
		options:    options,
		forker:     newForker(),
		filter:     filter,
		sandboxes:  map[string]*sandboxed{},
		containers: map[string]*container{},
		changed:    func(string) {},
		allowed:    func(string, string, string) error { return nil },
	}
	if options.Unsandboxed {
		if service.plain, err = newPlainForkers(filter); err != nil {
			return nil, err
		}
		endLeft(options.DevnetID, options.Node)
	}
	// What an earlier life wrote belongs to containers that are gone.
	if err := os.RemoveAll(service.scratch("")); err != nil {
		return nil, fmt.Errorf("what earlier containers wrote: %w", err)
	}
	if err := service.showAll(); err != nil {
		return nil, fmt.Errorf("what every container sees: %w", err)
	}
	if err := service.serveStreams(); err != nil {
		return nil, fmt.Errorf("streams of exec, attach and port-forward: %w", err)
	}
	return service, nil
}

// OnChange has `changed` called with a pod's UID when one of its containers has ended, so that
// nobody waits for the next look at all of them.
func (s *Service) OnChange(changed func(podUID string)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.changed = changed
}

// OnStart has `allowed` asked before each container is started: one can be added to a pod that was
// taken without it. What it says fails the start.
func (s *Service) OnStart(allowed func(namespace, pod, container string) error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.allowed = allowed
}

// tellChanged has the kubelet look at a pod again, now and after each of the pauses.
func (s *Service) tellChanged(podUID string, pauses ...time.Duration) {
	s.mu.Lock()
	changed := s.changed
	s.mu.Unlock()
	changed(podUID)
	for _, pause := range pauses {
		time.AfterFunc(pause, func() { changed(podUID) })
	}
}

func (s *Service) scratch(container string) string {
	return filepath.Join(s.options.Folder, "containers", container)
}

func (s *Service) Version(context.Context, string) (*cri.VersionResponse, error) {
	return &cri.VersionResponse{
		Version: "0.1.0", RuntimeName: Name, RuntimeVersion: Version, RuntimeApiVersion: "v1",
	}, nil
}

func (s *Service) Status(context.Context, bool) (*cri.StatusResponse, error) {
	return &cri.StatusResponse{Status: &cri.RuntimeStatus{Conditions: []*cri.RuntimeCondition{
		{Type: cri.RuntimeReady, Status: true},
		{Type: cri.NetworkReady, Status: true},
	}}}, nil
}

func (s *Service) RuntimeConfig(context.Context) (*cri.RuntimeConfigResponse, error) {
	return &cri.RuntimeConfigResponse{
		Linux: &cri.LinuxRuntimeConfiguration{CgroupDriver: cri.CgroupDriver_CGROUPFS},
	}, nil
}

func (s *Service) UpdateRuntimeConfig(context.Context, *cri.RuntimeConfig) error { return nil }

// Close ends every container, those too that are being started; the kubelet starts none again. It
// waits no longer than the context lasts.
func (s *Service) Close(ctx context.Context) error {
	s.mu.Lock()
	s.closing = true
	var all []*container
	for _, each := range s.containers {
		all = append(all, each)
	}
	s.mu.Unlock()
	for _, each := range all {
		each.kill()
	}
	return waitEnded(ctx, all...)
}

func unknown(what, id string) error {
	return status.Errorf(codes.NotFound, "no %s %q", what, id)
}

func unimplemented(what string) error {
	return status.Errorf(codes.Unimplemented, "%s: not with processes", what)
}

func (s *Service) CheckpointContainer(context.Context, *cri.CheckpointContainerRequest) error {
	return unimplemented("checkpoints")
}

// GetContainerEvents is for the evented PLEG, which is off: see OnChange.
func (s *Service) GetContainerEvents(
	ctx context.Context, _ chan *cri.ContainerEventResponse,
	_ func(cri.RuntimeService_GetContainerEventsClient),
) error {
	<-ctx.Done()
	return unimplemented("container events")
}
