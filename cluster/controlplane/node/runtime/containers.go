package runtime

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	cri "k8s.io/cri-api/pkg/apis/runtime/v1"
)

func (s *Service) CreateContainer(
	_ context.Context, podID string, config *cri.ContainerConfig, podConfig *cri.PodSandboxConfig,
) (string, error) {
	pod, _ := s.pod(podID)
	if pod == nil {
		return "", unknown("pod sandbox", podID)
	}
	id := newID()
	made := &container{
		id: id, pod: pod, config: config, created: nanoseconds(), done: make(chan struct{}),
		state:     cri.ContainerState_CONTAINER_CREATED,
		logPath:   filepath.Join(podConfig.LogDirectory, config.LogPath),
		scratch:   s.scratch(id),
		resources: config.GetLinux().GetResources(),
	}
	if err := made.furnish(); err != nil {
		return "", errors.Join(err, made.clear()) // it is tried again, with another folder
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.containers[id] = made
	return id, nil
}

// furnish makes what a container has before it is started.
func (c *container) furnish() error {
	if err := makeScratch(c.scratch); err != nil {
		return fmt.Errorf("what the container writes: %w", err)
	}
	var err error
	if c.printed, err = newOutput(c.logPath); err != nil {
		return err
	}
	if c.pod.group != nil {
		c.group, err = c.pod.group.Child("container-"+c.id, limitsOf(c.resources))
	}
	return err
}

// clear takes away what one has that does not run; again where it failed.
func (c *container) clear() error {
	if c.group != nil {
		if err := c.group.Close(); err != nil {
			return err
		}
	}
	if c.printed != nil {
		c.printed.close()
	}
	if err := c.who.close(); err != nil {
		return fmt.Errorf("what a container saw: %w", err)
	}
	if err := os.RemoveAll(c.scratch); err != nil {
		return fmt.Errorf("what a container wrote: %w", err)
	}
	return nil
}

var errClosing = errors.New("the node is being shut down")

// StartContainer returns once the command itself runs, or with what bubblewrap or the kernel said.
func (s *Service) StartContainer(_ context.Context, id string) error {
	c := s.container(id)
	if c == nil {
		return unknown("container", id)
	}
	s.mu.Lock()
	closing := s.closing
	s.mu.Unlock()
	if closing {
		return errClosing
	}
	ctx, err := c.begin()
	if err != nil {
		return err
	}
	return s.run(ctx, c)
}

func (s *Service) StopContainer(ctx context.Context, id string, timeoutSeconds int64) error {
	c := s.container(id)
	if c == nil {
		return nil
	}
	return c.stop(ctx, time.Duration(timeoutSeconds)*time.Second)
}

func (s *Service) RemoveContainer(_ context.Context, id string) error {
	c := s.container(id)
	if c == nil {
		return nil
	}
	c.kill()
	if err := waitEnded(context.Background(), c); err != nil {
		return err
	}
	if err := c.clear(); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.containers, id)
	return nil
}

func (s *Service) ListContainers(_ context.Context, filter *cri.ContainerFilter) ([]*cri.Container, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var found []*cri.Container
	for _, c := range s.containers {
		each := c.listed()
		if filter.GetId() != "" && filter.GetId() != c.id ||
			filter.GetPodSandboxId() != "" && filter.GetPodSandboxId() != c.pod.id ||
			filter.GetState() != nil && filter.GetState().State != each.State ||
			!selects(filter.GetLabelSelector(), c.config.Labels) {
			continue
		}
		found = append(found, each)
	}
	return found, nil
}

func (c *container) listed() *cri.Container {
	c.mu.Lock()
	defer c.mu.Unlock()
	return &cri.Container{
		Id: c.id, PodSandboxId: c.pod.id, Metadata: c.config.Metadata, Image: c.config.Image,
		ImageRef: c.config.Image.GetImage(), ImageId: c.config.Image.GetImage(), State: c.state,
		CreatedAt: c.created, Labels: c.config.Labels, Annotations: c.config.Annotations,
	}
}

func (s *Service) ContainerStatus(_ context.Context, id string, _ bool) (*cri.ContainerStatusResponse, error) {
	c := s.container(id)
	if c == nil {
		return nil, unknown("container", id)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return &cri.ContainerStatusResponse{Status: &cri.ContainerStatus{
		Id: id, Metadata: c.config.Metadata, State: c.state, CreatedAt: c.created,
		StartedAt: c.started, FinishedAt: c.finished, ExitCode: int32(c.exitCode),
		Image: c.config.Image, ImageRef: c.config.Image.GetImage(), ImageId: c.config.Image.GetImage(),
		Reason: c.reason, Message: c.message, Labels: c.config.Labels,
		Annotations: c.config.Annotations, Mounts: c.config.Mounts, LogPath: c.logPath,
		Resources: &cri.ContainerResources{Linux: c.resources},
		User:      c.user(),
	}}, nil
}

// UpdateContainerResources follows a container that is resized in place.
func (s *Service) UpdateContainerResources(
	_ context.Context, id string, resources *cri.ContainerResources,
) error {
	c := s.container(id)
	if c == nil {
		return unknown("container", id)
	}
	if c.group != nil {
		if err := c.group.Limit(limitsOf(resources.GetLinux())); err != nil {
			return err
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.resources = resources.GetLinux()
	return nil
}

// ReopenContainerLog goes on in a new file: the kubelet has moved the full one away.
func (s *Service) ReopenContainerLog(_ context.Context, id string) error {
	c := s.container(id)
	if c == nil {
		return unknown("container", id)
	}
	if _, err := c.running(); err != nil {
		return err
	}
	return c.printed.reopen()
}

func (s *Service) container(id string) *container {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.containers[id]
}
