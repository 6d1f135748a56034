package runtime

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/google/uuid"
	cri "k8s.io/cri-api/pkg/apis/runtime/v1"

	"kompute.network/devnet/controlplane/node/cgroup"
	"kompute.network/devnet/controlplane/node/identity"
)

// sandboxed is a pod: an address, a control group and what its containers have in common.
type sandboxed struct {
	id      string
	config  *cri.PodSandboxConfig
	address *address
	ids     *identity.Block // nil where pods have the node's own id
	group   *cgroup.Group   // nil without control groups
	created int64

	// Guarded by Service.mu:
	ready bool
	asked cgroup.Limits // of the group, before it was cut to the node's
}

func newID() string {
	id := uuid.New()
	return fmt.Sprintf("%x", id[:])
}

func nanoseconds() int64 { return time.Now().UnixNano() }

// RunPodSandbox reserves an address and makes the pod's control group; no process runs for it.
func (s *Service) RunPodSandbox(_ context.Context, config *cri.PodSandboxConfig, _ string) (string, error) {
	if folder := config.Annotations[FolderAnnotation]; folder != "" && s.options.MayName != nil {
		if err := s.options.MayName(folder); err != nil {
			return "", fmt.Errorf("metadata.annotations[%s]: %w", FolderAnnotation, err)
		}
	}
	if err := os.MkdirAll(config.LogDirectory, 0o755); err != nil {
		return "", fmt.Errorf("logs of the pod: %w", err)
	}
	address, err := reserveAddress()
	if err != nil {
		return "", err
	}
	limits := limitsOf(config.GetLinux().GetResources())
	limits.Pids = s.options.PodPids
	pod := &sandboxed{
		id: newID(), config: config, address: address, created: nanoseconds(), ready: true, asked: limits,
	}
	if s.options.Machine != nil {
		if pod.ids, err = identity.Reserve(); err != nil {
			pod.release()
			return "", err
		}
	}
	if s.options.Group != nil {
		if pod.group, err = s.options.Group.Child("pod-"+pod.id, limits); err != nil {
			pod.release()
			return "", err
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sandboxes[pod.id] = pod
	return pod.id, nil
}

// StopPodSandbox ends what runs in it at once; its address is free then.
func (s *Service) StopPodSandbox(_ context.Context, id string) error {
	pod, containers := s.pod(id)
	if pod == nil {
		return nil // gone already: stopping is idempotent
	}
	for _, each := range containers {
		each.kill()
	}
	if err := waitEnded(context.Background(), containers...); err != nil {
		return err // what runs keeps the pod's address and ids
	}
	s.mu.Lock()
	pod.ready = false
	s.mu.Unlock()
	pod.release()
	// To let the pod go, the kubelet waits for a look that is younger than the end of this call.
	s.tellChanged(pod.config.Metadata.Uid, 20*time.Millisecond, 100*time.Millisecond)
	return nil
}

func (s *Service) RemovePodSandbox(ctx context.Context, id string) error {
	pod, containers := s.pod(id)
	if pod == nil {
		return nil
	}
	if err := s.StopPodSandbox(ctx, id); err != nil {
		return err
	}
	for _, each := range containers {
		if err := s.RemoveContainer(ctx, each.id); err != nil {
			return err
		}
	}
	if pod.group != nil {
		if err := pod.group.Close(); err != nil {
			return err
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.sandboxes, id)
	return nil
}

func (s *Service) PodSandboxStatus(_ context.Context, id string, _ bool) (*cri.PodSandboxStatusResponse, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	pod := s.sandboxes[id]
	if pod == nil {
		return nil, unknown("pod sandbox", id)
	}
	network := pod.config.GetLinux().GetSecurityContext().GetNamespaceOptions().GetNetwork()
	addressed := &cri.PodSandboxNetworkStatus{Ip: pod.address.ip}
	if network == cri.NamespaceMode_NODE {
		addressed.Ip = "" // it has its node's, which the kubelet knows
	}
	return &cri.PodSandboxStatusResponse{Status: &cri.PodSandboxStatus{
		Id:        id,
		Metadata:  pod.config.Metadata,
		State:     pod.state(),
		CreatedAt: pod.created,
		Network:   addressed,
		Linux: &cri.LinuxPodSandboxStatus{
			// A pod whose sandbox is told to be another than it asked for is ended and made anew.
			Namespaces: &cri.Namespace{Options: &cri.NamespaceOption{
				Network: network,
				Pid:     cri.NamespaceMode_CONTAINER,
			}},
		},
		Labels:      pod.config.Labels,
		Annotations: pod.config.Annotations,
	}}, nil
}

func (s *Service) ListPodSandbox(_ context.Context, filter *cri.PodSandboxFilter) ([]*cri.PodSandbox, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var found []*cri.PodSandbox
	for _, pod := range s.sandboxes {
		if filter.GetId() != "" && filter.GetId() != pod.id ||
			filter.GetState() != nil && filter.GetState().State != pod.state() ||
			!selects(filter.GetLabelSelector(), pod.config.Labels) {
			continue
		}
		found = append(found, &cri.PodSandbox{
			Id: pod.id, Metadata: pod.config.Metadata, State: pod.state(), CreatedAt: pod.created,
			Labels: pod.config.Labels, Annotations: pod.config.Annotations,
		})
	}
	return found, nil
}

// UpdatePodSandboxResources follows a pod that is resized in place.
func (s *Service) UpdatePodSandboxResources(
	_ context.Context, request *cri.UpdatePodSandboxResourcesRequest,
) (*cri.UpdatePodSandboxResourcesResponse, error) {
	pod, _ := s.pod(request.PodSandboxId)
	if pod == nil {
		return nil, unknown("pod sandbox", request.PodSandboxId)
	}
	if err := s.limit(pod, limitsOf(request.Resources)); err != nil {
		return nil, err
	}
	return &cri.UpdatePodSandboxResourcesResponse{}, nil
}

// PodLimits is what the pod of that UID was last given; false while it has no sandbox.
func (s *Service) PodLimits(uid string) (cgroup.Limits, bool) {
	pod := s.running(uid)
	if pod == nil {
		return cgroup.Limits{}, false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return pod.asked, true
}

// LimitPod gives the pod of that UID other limits, before its containers get more or after they
// have less.
func (s *Service) LimitPod(uid string, limits cgroup.Limits) error {
	pod := s.running(uid)
	if pod == nil {
		return unknown("pod", uid)
	}
	return s.limit(pod, limits)
}

// limit changes what is named; 0 leaves a figure as it is.
func (s *Service) limit(pod *sandboxed, limits cgroup.Limits) error {
	s.mu.Lock()
	merged := pod.asked.With(limits)
	pod.asked = merged
	s.mu.Unlock()
	if pod.group == nil {
		return nil
	}
	return pod.group.Limit(merged)
}

func (s *Service) running(uid string) *sandboxed {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, pod := range s.sandboxes {
		if pod.ready && pod.config.Metadata.Uid == uid {
			return pod
		}
	}
	return nil
}

// pod is a sandbox and its containers, nil where there is none.
func (s *Service) pod(id string) (*sandboxed, []*container) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var containers []*container
	for _, each := range s.containers {
		if each.pod.id == id {
			containers = append(containers, each)
		}
	}
	return s.sandboxes[id], containers
}

// release gives back what no other pod of the machine may have.
func (p *sandboxed) release() {
	p.address.release()
	if p.ids != nil {
		p.ids.Release()
	}
}

func (p *sandboxed) state() cri.PodSandboxState {
	if p.ready {
		return cri.PodSandboxState_SANDBOX_READY
	}
	return cri.PodSandboxState_SANDBOX_NOTREADY
}

func selects(selector, labels map[string]string) bool {
	for name, value := range selector {
		if labels[name] != value {
			return false
		}
	}
	return true
}

func limitsOf(resources *cri.LinuxContainerResources) cgroup.Limits {
	return cgroup.Limits{
		Shares:             resources.GetCpuShares(),
		QuotaMicroseconds:  resources.GetCpuQuota(),
		PeriodMicroseconds: resources.GetCpuPeriod(),
		MemoryBytes:        resources.GetMemoryLimitInBytes(),
	}
}
