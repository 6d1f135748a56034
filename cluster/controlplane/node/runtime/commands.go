package runtime

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	criclient "k8s.io/cri-client/pkg"
	"k8s.io/cri-streaming/pkg/streaming/remotecommand"
	utilexec "k8s.io/utils/exec"
)

const (
	mostPrinted = 16 << 20 // of a probe or hook, as other runtimes have it
	hangLimit   = time.Second
)

// ExecSync runs a command in a container to its end: probes and hooks.
func (s *Service) ExecSync(
	ctx context.Context, id string, command []string, timeout time.Duration,
) ([]byte, []byte, error) {
	if timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, timeout)
		defer cancel()
	}
	var out, err beginning
	failure := s.execute(ctx, id, command, streams{out: &out, err: &err, alone: true})
	if errors.Is(failure, context.DeadlineExceeded) {
		failure = fmt.Errorf("%w: %q after %s", criclient.ErrCommandTimedOut, strings.Join(command, " "), timeout)
	}
	return out.kept.Bytes(), err.kept.Bytes(), failure
}

// beginning keeps that of what is written: a probe may print without an end.
type beginning struct{ kept bytes.Buffer }

func (b *beginning) Write(text []byte) (int, error) {
	b.kept.Write(text[:min(len(text), mostPrinted-b.kept.Len())])
	return len(text), nil
}

// streams of one more command in a container; nil where it has none.
type streams struct {
	in       io.Reader
	out, err io.Writer
	terminal bool
	alone    bool // nobody listens: what the command leaves running is not waited for
	sizes    <-chan remotecommand.TerminalSize
}

// execute runs a command in a running container until it ends or the context does.
// A code other than 0 is a utilexec.CodeExitError.
func (s *Service) execute(ctx context.Context, id string, command []string, with streams) error {
	c := s.container(id)
	if c == nil {
		return unknown("container", id)
	}
	inside, err := c.running()
	if err != nil {
		return err
	}
	files, carry, err := with.open()
	if err != nil {
		return err
	}
	started, err := s.launch(ctx, c, s.spec(c, command, with.terminal), files, inside)
	carried := carry()
	if started == nil {
		<-carried.done
		return err
	}
	select {
	case <-started.done:
	case <-ctx.Done():
		started.end()
		started.awaitEnd()
		carried.hangUp(hangLimit)
		return ctx.Err()
	}
	if with.alone {
		carried.hangUp(hangLimit)
	}
	select {
	case <-carried.done:
	case <-ctx.Done(): // it has ended, and something that it started holds its streams
		carried.hangUp(hangLimit)
		return ctx.Err()
	}
	switch {
	case err != nil && !errors.Is(err, errNotStarted):
		return err
	case !started.executed:
		return exited(command, notStarted)
	case started.exitCode != 0:
		return exited(command, started.exitCode)
	}
	return nil
}

func exited(command []string, code int) error {
	return utilexec.CodeExitError{
		Err: fmt.Errorf("command %q exited with %d", strings.Join(command, " "), code), Code: code,
	}
}

// open gives the command's ends, and what begins to carry between ours and the streams.
func (w streams) open() (stdio, func() carried, error) {
	if w.terminal {
		here, theirs, err := openTerminal()
		if err != nil {
			return stdio{}, nil, err
		}
		return stdio{theirs, theirs, theirs}, func() carried {
			go follow(here, w.sizes)
			if w.in != nil {
				go func() { _, _ = io.Copy(here, w.in) }()
			}
			return carrying(map[*os.File]io.Writer{here: w.out})
		}, nil
	}
	var files stdio
	ours := map[*os.File]io.Writer{}
	var typed *os.File
	var err error
	if w.in == nil {
		files.in, err = os.Open(os.DevNull)
	} else {
		files.in, typed, err = os.Pipe()
	}
	if err != nil {
		return stdio{}, nil, err
	}
	for theirs, writer := range map[**os.File]io.Writer{&files.out: w.out, &files.err: w.err} {
		read, write, err := os.Pipe()
		if err != nil {
			files.close()
			return stdio{}, nil, err
		}
		*theirs = write
		if writer == nil {
			writer = io.Discard
		}
		ours[read] = writer
	}
	return files, func() carried {
		if typed != nil {
			go func() {
				_, _ = io.Copy(typed, w.in)
				_ = typed.Close()
			}()
		}
		return carrying(ours)
	}, nil
}

// carried is what is being handed on: done once all of it has been.
type carried struct {
	files []*os.File
	done  chan struct{}
}

// hangUp hears no more than what was printed so far; whether somebody could have printed more.
func (c carried) hangUp(after time.Duration) bool {
	select {
	case <-c.done:
		return false
	case <-time.After(after):
	}
	_ = closeAll(c.files)
	<-c.done
	return true
}

// wait for its end, where it was begun.
func (c carried) wait() {
	if c.done != nil {
		<-c.done
	}
}

func carrying(files map[*os.File]io.Writer) carried {
	var all sync.WaitGroup
	for from, to := range files {
		all.Go(func() {
			defer from.Close()
			if to == nil {
				to = io.Discard
			}
			if _, err := io.Copy(to, from); err != nil {
				_, _ = io.Copy(io.Discard, from) // whoever listened has left; the command goes on
			}
		})
	}
	return carriedBy(&all, slices.Collect(maps.Keys(files)))
}

// carriedBy is done with all of those who read the files.
func carriedBy(all *sync.WaitGroup, files []*os.File) carried {
	begun := carried{files, make(chan struct{})}
	go func() {
		all.Wait()
		close(begun.done)
	}()
	return begun
}
