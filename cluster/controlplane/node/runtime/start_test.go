package runtime

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	cri "k8s.io/cri-api/pkg/apis/runtime/v1"
	criclient "k8s.io/cri-client/pkg"
)

func TestWhatIsNotAllowedIsNotStarted(t *testing.T) {
	b := newBench(t, nil)
	b.config.Metadata.Name = "pod"
	b.service.OnStart(func(namespace, pod, container string) error {
		return fmt.Errorf("%s/%s: %s: not here", namespace, pod, container)
	})
	id := b.create("echo no", nil)
	err := b.service.StartContainer(t.Context(), id)
	status := b.ended(id)
	if err == nil || status.Reason != "StartError" || status.Message != "ns/pod: main: not here" || len(b.lines("main/0.log")) > 0 {
		t.Errorf("%v; it ended as %+v", err, status)
	}
}

// hanging has bubblewrap be something that says nothing.
func hanging(b *bench) {
	b.Helper()
	folder, err := os.MkdirTemp("", "kompute-test-")
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = os.RemoveAll(folder) })
	program := filepath.Join(folder, "hangs")
	if err := errors.Join(
		os.Chmod(folder, 0o755), os.WriteFile(program, []byte("#!/bin/sh\nexec sleep 60\n"), 0o755),
	); err != nil {
		b.Fatal(err)
	}
	b.service.program = program
}

func TestWhatIsBeingStartedIsEndedToo(t *testing.T) {
	for name, end := range map[string]func(b *bench, id string) error{
		"by the node's end": func(b *bench, _ string) error { return b.service.Close(b.Context()) },
		"by the pod's end":  func(b *bench, _ string) error { return b.service.StopPodSandbox(b.Context(), b.pod) },
		"by its own":        func(b *bench, id string) error { return b.service.StopContainer(b.Context(), id, 60) },
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, nil)
			hanging(b)
			id := b.create("true", nil)
			c := b.service.container(id)
			started := make(chan error, 1)
			go func() { started <- b.service.StartContainer(t.Context(), id) }()
			b.until("being started", func() bool {
				c.mu.Lock()
				defer c.mu.Unlock()
				return c.typed == nil && c.abandon != nil
			})
			began := time.Now()
			if err := end(b, id); err != nil {
				t.Error(err)
			}
			if state := b.status(id).State; state != cri.ContainerState_CONTAINER_EXITED {
				t.Errorf("it is %v", state)
			}
			if err := <-started; err == nil || time.Since(began) > executeLimit/2 {
				t.Errorf("its start ends with %v after %s", err, time.Since(began))
			}
		})
	}
}

func TestASandboxThatIsNotMadeIsGivenUp(t *testing.T) {
	b := newBench(t, nil)
	running := b.run("while :; do sleep 0.05; done", nil)
	hanging(b)
	began := time.Now()
	_, _, err := b.service.ExecSync(t.Context(), running, []string{"true"}, 300*time.Millisecond)
	if !errors.Is(err, criclient.ErrCommandTimedOut) || time.Since(began) > executeLimit/2 {
		t.Errorf("a command with a limit: %v after %s", err, time.Since(began))
	}
	id := b.create("true", nil)
	err = b.service.StartContainer(t.Context(), id)
	if !errors.Is(err, errUnheard) || !strings.Contains(err.Error(), "in 10s") {
		t.Errorf("said %v", err)
	}
	if status := b.ended(id); status.Reason != "StartError" {
		t.Errorf("it is %+v", status)
	}
}

func TestANodeThatEndsWaitsNoLongerThanItMay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		service := &Service{containers: map[string]*container{}}
		for _, id := range []string{"one", "two", "three"} {
			service.containers[id] = &container{
				id: id, state: cri.ContainerState_CONTAINER_RUNNING, done: make(chan struct{}),
			}
		}
		ctx, cancel := context.WithTimeout(t.Context(), 4*time.Second)
		defer cancel()
		began := time.Now()
		err := service.Close(ctx)
		if took := time.Since(began); took != 4*time.Second {
			t.Errorf("it took %s", took)
		}
		if said := fmt.Sprint(err); strings.Count(said, "has not ended 4s after SIGKILL") != 3 {
			t.Errorf("said %s", said)
		}
	})
}

func TestAContainerIsStartedOnce(t *testing.T) {
	b := newBench(t, nil)
	id := b.run("while :; do sleep 0.05; done", nil)
	if err := b.service.StartContainer(t.Context(), id); err == nil || !strings.Contains(err.Error(), "was started before") {
		t.Errorf("again: %v", err)
	}
	if state := b.status(id).State; state != cri.ContainerState_CONTAINER_RUNNING {
		t.Errorf("it is %v", state)
	}
}

func TestNothingIsLeftOfWhatIsNotMade(t *testing.T) {
	b := newBench(t, nil)
	open := func() int {
		files, err := os.ReadDir("/proc/self/fd")
		if err != nil {
			t.Fatal(err)
		}
		return len(files)
	}
	left := func() []string {
		found, err := filepath.Glob(b.service.scratch("*"))
		if err != nil {
			t.Fatal(err)
		}
		return found
	}
	b.create("true", nil) // the log's folder
	files, folders := open(), left()
	for range 5 {
		id := b.create("true", nil)
		if err := b.service.RemoveContainer(t.Context(), id); err != nil {
			t.Fatal(err)
		}
	}
	if b.service.options.Group != nil {
		config := &cri.ContainerConfig{
			Metadata: &cri.ContainerMetadata{Name: "main"}, LogPath: "main/0.log",
			Linux: &cri.LinuxContainerConfig{Resources: &cri.LinuxContainerResources{CpuQuota: 1_000, CpuPeriod: 2_000_000}},
		}
		for range 5 {
			if id, err := b.service.CreateContainer(t.Context(), b.pod, config, b.config); err == nil {
				t.Errorf("made: %s", id)
			}
		}
	}
	if now := left(); len(now) != len(folders) {
		t.Errorf("folders: %q, before %q", now, folders)
	}
	if now := open(); now > files {
		t.Errorf("%d open files, before %d", now, files)
	}
}

// Run by the race detector, as `go test -race` does.
func TestAResizeIsSeenByWhoeverLooks(t *testing.T) {
	b := newBench(t, nil)
	id := b.run("while :; do sleep 0.05; done", nil)
	looked := make(chan struct{})
	go func() {
		defer close(looked)
		for range 20 {
			if _, err := b.service.ContainerStats(t.Context(), id); err != nil {
				t.Error(err)
			}
			if _, _, err := b.service.ExecSync(t.Context(), id, []string{"true"}, limit); err != nil {
				t.Error(err)
			}
		}
	}()
	for megabytes := int64(64); megabytes < 84; megabytes++ {
		resized := &cri.LinuxContainerResources{MemoryLimitInBytes: megabytes << 20}
		if err := b.service.UpdateContainerResources(t.Context(), id, &cri.ContainerResources{Linux: resized}); err != nil {
			t.Fatal(err)
		}
		if got := b.status(id).Resources.Linux.MemoryLimitInBytes; got != megabytes<<20 {
			t.Errorf("told as %d", got)
		}
	}
	<-looked
	stats, err := b.service.ContainerStats(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	memory := stats.Memory
	if whole := memory.AvailableBytes.GetValue() + memory.WorkingSetBytes.GetValue(); whole != 83<<20 {
		t.Errorf("available and used: %d", whole)
	}
}
