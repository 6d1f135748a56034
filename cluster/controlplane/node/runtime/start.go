package runtime

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	cri "k8s.io/cri-api/pkg/apis/runtime/v1"
)

var errBarred = errors.New("the container was ended before it was started")

// begin is its one start; the context ends with kill.
func (c *container) begin() (context.Context, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.barred {
		return nil, errBarred
	}
	if c.abandon != nil {
		return nil, fmt.Errorf("container %s was started before", c.id)
	}
	var ctx context.Context
	ctx, c.abandon = context.WithCancel(context.Background())
	return ctx, nil
}

// run starts the container's command; when this fails, the container has ended or is about to.
func (s *Service) run(ctx context.Context, c *container) error {
	var pumps sync.WaitGroup
	started, err := s.launchMain(ctx, c, &pumps)
	if started != nil {
		c.adopt(started)
		if err == nil {
			err = started.awaitExecuted()
		}
	}
	if err != nil {
		return s.failed(c, started, &pumps, err)
	}
	c.mu.Lock()
	c.state, c.started = cri.ContainerState_CONTAINER_RUNNING, nanoseconds()
	c.mu.Unlock()
	go func() {
		<-started.done
		pumps.Wait()
		s.ended(c, started.exitCode)
	}()
	return nil
}

// launchMain launches the command, and what carries its output.
func (s *Service) launchMain(ctx context.Context, c *container, pumps *sync.WaitGroup) (*process, error) {
	if err := s.mayStart(c); err != nil {
		return nil, err
	}
	command := append(append([]string{}, c.config.Command...), c.config.Args...)
	if len(command) == 0 {
		return nil, errors.New("spec.containers[].command: a folder has no command of its own")
	}
	if err := s.identify(c); err != nil {
		return nil, err
	}
	files, from, err := c.stdio()
	if err != nil {
		return nil, err
	}
	started, err := s.launch(ctx, c, s.spec(c, command, c.config.Tty), files, nil)
	for stream, file := range from {
		pumps.Go(func() { c.printed.pump(stream, file) })
	}
	return started, err
}

// mayStart says why not, where somebody is asked.
func (s *Service) mayStart(c *container) error {
	s.mu.Lock()
	allowed := s.allowed
	s.mu.Unlock()
	pod := c.pod.config.GetMetadata()
	return allowed(pod.GetNamespace(), pod.GetName(), c.config.GetMetadata().GetName())
}

// adopt makes the process the container's, for kill, before the command itself runs.
func (c *container) adopt(started *process) {
	c.mu.Lock()
	c.process = started
	barred := c.barred
	c.mu.Unlock()
	if barred {
		started.kill()
	}
}

// failed ends what there is of a start. What does not end (in a mount that hangs, say) is the
// container's still, which has not ended either until it has.
func (s *Service) failed(c *container, started *process, pumps *sync.WaitGroup, fault error) error {
	if started != nil {
		started.kill()
	}
	ended := make(chan error, 1)
	go func() {
		if started != nil {
			<-started.done
		}
		pumps.Wait()
		whole := fault
		if said := c.printed.tail(); said != "" {
			whole = fmt.Errorf("%w: %s", fault, strings.TrimPrefix(said, "bwrap: "))
		}
		s.finish(c, notStarted+1, "StartError", whole.Error())
		ended <- whole
		s.tellChanged(c.pod.config.Metadata.Uid)
	}()
	select {
	case whole := <-ended:
		return whole
	case <-time.After(endLimit):
		return fmt.Errorf("%w, and it has not ended %s after SIGKILL", fault, endLimit)
	}
}
