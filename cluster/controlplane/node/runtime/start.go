package runtime

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	cri "k8s.io/cri-api/pkg/apis/runtime/v1"
)

// leftLimit is for what a plain process printed last, and longer than clients who do not read hold
// that up (stallLimit): who has left the container by then would hold it open for ever.
const leftLimit = 3 * time.Second

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
	started, printing, err := s.launchMain(ctx, c)
	if started != nil {
		c.adopt(started)
		if err == nil {
			err = started.awaitExecuted()
		}
	}
	if err != nil {
		return s.failed(c, started, printing, err)
	}
	c.mu.Lock()
	c.state, c.started = cri.ContainerState_CONTAINER_RUNNING, nanoseconds()
	c.mu.Unlock()
	go func() {
		<-started.done
		left := ""
		if started.plain == nil {
			<-printing.done // nobody has outlived the sandbox
		} else if printing.hangUp(leftLimit) {
			left = "processes that left the container live on and print: that is not heard any more"
		}
		s.ended(c, started.exitCode, left)
	}()
	return nil
}

// launchMain launches the command, and what carries its output.
func (s *Service) launchMain(ctx context.Context, c *container) (*process, carried, error) {
	var nothing carried
	if err := s.mayStart(c); err != nil {
		return nil, nothing, err
	}
	command := append(append([]string{}, c.config.Command...), c.config.Args...)
	if len(command) == 0 {
		return nil, nothing, errors.New("spec.containers[].command: a folder has no command of its own")
	}
	if err := s.identify(c); err != nil {
		return nil, nothing, err
	}
	files, from, err := c.stdio()
	if err != nil {
		return nil, nothing, err
	}
	started, err := s.launch(ctx, c, s.spec(c, command, c.config.Tty), files, nil)
	return started, c.printed.pumping(from), err
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
func (s *Service) failed(c *container, started *process, printing carried, fault error) error {
	if started != nil {
		started.kill()
	}
	ended := make(chan error, 1)
	go func() {
		if started != nil {
			<-started.done
		}
		printing.wait()
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
