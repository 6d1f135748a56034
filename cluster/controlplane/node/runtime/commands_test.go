package runtime

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	cri "k8s.io/cri-api/pkg/apis/runtime/v1"
	criclient "k8s.io/cri-client/pkg"
	utilexec "k8s.io/utils/exec"
)

func TestACommandInAContainerIsInsideIt(t *testing.T) {
	for name, uid := range map[string]int64{"root": 0, "somebody": 1234} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, nil)
			id := b.run("echo here > /tmp/mark; while :; do sleep 0.05; done", func(c *cri.ContainerConfig) {
				c.Linux.SecurityContext.RunAsUser = &cri.Int64Value{Value: uid}
			})
			script := "until test -e /tmp/mark; do sleep 0.02; done; cat /tmp/mark; hostname; id -u; " +
				"test -d /proc/2 && echo beside; grep -c '0000000000000000' /proc/self/status"
			out, said, err := b.service.ExecSync(t.Context(), id, []string{"sh", "-c", script}, 0)
			if err != nil {
				t.Fatalf("%v: %s", err, said)
			}
			words := strings.Fields(string(out))
			if wanted := fmt.Sprintf("here pod %d beside", uid); strings.Join(words[:4], " ") != wanted {
				t.Errorf("it sees %q, wanted %q", out, wanted)
			}
			_, said, err = b.service.ExecSync(t.Context(), id, []string{"sh", "-c", "echo no >&2; exit 4"}, 0)
			var exit utilexec.CodeExitError
			if !errors.As(err, &exit) || exit.Code != 4 || string(said) != "no\n" {
				t.Errorf("%v, %q", err, said)
			}
			_, _, err = b.service.ExecSync(t.Context(), id, []string{"no-such"}, 0)
			if !errors.As(err, &exit) || exit.Code != notStarted {
				t.Errorf("a program that is not there: %v", err)
			}
		})
	}
}

func TestACommandBeyondItsTimeIsEnded(t *testing.T) {
	b := newBench(t, nil)
	id := b.run("while :; do sleep 0.05; done", nil)
	_, _, err := b.service.ExecSync(t.Context(), id, []string{"sleep", "31.4159"}, 300*time.Millisecond)
	if !errors.Is(err, criclient.ErrCommandTimedOut) {
		t.Errorf("it ended with %v", err)
	}
	look := []string{"sh", "-c", "cat /proc/[0-9]*/cmdline | tr '\\0' ' '"}
	b.until("gone", func() bool {
		out, _, err := b.service.ExecSync(t.Context(), id, look, 0)
		return err == nil && !bytes.Contains(out, []byte("sleep 31.4159"))
	})
}

func TestAForwardedPortEndsWithThePodsAnswer(t *testing.T) {
	b := newBench(t, nil)
	status, err := b.service.PodSandboxStatus(t.Context(), b.pod, false)
	if err != nil {
		t.Fatal(err)
	}
	server, err := net.Listen("tcp", status.Status.Network.Ip+":0")
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	go func() {
		connection, err := server.Accept()
		if err != nil {
			return
		}
		asked := make([]byte, 3)
		_, _ = io.ReadFull(connection, asked)
		_, _ = connection.Write(append([]byte("heard "), asked...))
		_ = connection.Close()
	}()
	client, theirs := net.Pipe()
	done := make(chan error, 1)
	go func() {
		port := int32(server.Addr().(*net.TCPAddr).Port)
		done <- doing{b.service}.PortForward(t.Context(), b.pod, port, theirs)
	}()
	if _, err := client.Write([]byte("you")); err != nil {
		t.Fatal(err)
	}
	if answer, err := io.ReadAll(client); string(answer) != "heard you" || err != nil {
		t.Errorf("%q, %v", answer, err)
	}
	select {
	case err := <-done:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(limit):
		t.Error("it waits for a client that has nothing to say")
	}
}

func TestNothingStaysOpen(t *testing.T) {
	b := newBench(t, nil)
	id := b.run("while :; do sleep 0.05; done", nil)
	open := func() int {
		files, err := os.ReadDir("/proc/self/fd")
		if err != nil {
			t.Fatal(err)
		}
		return len(files)
	}
	for _, command := range [][]string{{"true"}, {"no-such"}} {
		_, _, _ = b.service.ExecSync(t.Context(), id, command, 0)
		before := open()
		for range 10 {
			_, _, _ = b.service.ExecSync(t.Context(), id, command, 0)
			b.ended(b.run("exit 0", nil))
			_ = b.service.StartContainer(t.Context(), b.create("", func(c *cri.ContainerConfig) {
				c.Command = []string{"no-such"}
			}))
		}
		b.until("all closed", func() bool { return open() <= before+2 })
	}
}

func TestWhatACommandLeavesRunningHoldsUpNobody(t *testing.T) {
	b := newBench(t, nil)
	id := b.run("while :; do sleep 0.05; done", nil)
	for script, wanted := range map[string]error{
		"sleep 60 & echo said":   nil,
		"echo said; sleep 60; :": criclient.ErrCommandTimedOut,
	} {
		began := time.Now()
		out, _, err := b.service.ExecSync(t.Context(), id, []string{"sh", "-c", script}, 5*time.Second)
		if !errors.Is(err, wanted) || string(out) != "said\n" || time.Since(began) > limit {
			t.Errorf("%s: %q, %v after %s", script, out, err, time.Since(began))
		}
	}
}

// stalled reads nothing, as a client does that was stopped.
type stalled struct{ until <-chan struct{} }

func (s stalled) Write(text []byte) (int, error) {
	<-s.until
	return len(text), nil
}

func (stalled) Close() error { return nil }

func TestAnAttachedClientThatDoesNotReadHoldsUpNobody(t *testing.T) {
	b := newBench(t, nil)
	id := b.run("while :; do head -c 65536 /dev/zero | tr '\\0' x; echo; done", nil)
	release := make(chan struct{})
	attached := make(chan error, 1)
	const clients = 8
	began := time.Now()
	for range clients {
		go func() {
			attached <- doing{b.service}.Attach(t.Context(), id, nil, stalled{release}, nil, false, nil)
		}()
	}
	for range clients {
		select {
		case err := <-attached:
			if !errors.Is(err, errBehind) {
				t.Errorf("the client is told %v", err)
			}
		case <-time.After(limit):
			t.Error("it is shown more and more")
		}
	}
	if took := time.Since(began); took > clients*stallLimit/2 {
		t.Errorf("each holds up the container by itself: %s for %d of them", took, clients)
	}
	before := len(b.lines("main/0.log"))
	b.until("the log goes on", func() bool { return len(b.lines("main/0.log")) > before })
	began = time.Now()
	if err := b.service.StopContainer(t.Context(), id, 0); err != nil || time.Since(began) > endLimit {
		t.Errorf("stopped with %v after %s", err, time.Since(began))
	}
	close(release)
}

// later reads, but slowly.
type later struct{ seen *bytes.Buffer }

func (l later) Write(text []byte) (int, error) {
	time.Sleep(5 * time.Millisecond)
	return l.seen.Write(text)
}

func (later) Close() error { return nil }

func TestAnAttachedClientThatIsSlowSeesAll(t *testing.T) {
	b := newBench(t, nil)
	id := b.run("read go; head -c 4000000 /dev/zero | tr '\\0' x; printf end", func(c *cri.ContainerConfig) { c.Stdin = true })
	var seen bytes.Buffer
	attached := make(chan error, 1)
	begin, typed := io.Pipe()
	go func() {
		attached <- doing{b.service}.Attach(t.Context(), id, begin, later{&seen}, nil, false, nil)
	}()
	if _, err := typed.Write([]byte("go\n")); err != nil {
		t.Fatal(err)
	}
	select {
	case err := <-attached:
		if err != nil || seen.Len() != 4_000_003 || !bytes.HasSuffix(seen.Bytes(), []byte("xend")) {
			t.Errorf("%v after %d bytes", err, seen.Len())
		}
	case <-time.After(limit):
		t.Error("it does not end with the container")
	}
}

func TestTheBeginningOfWhatAProbePrintsIsKept(t *testing.T) {
	b := newBench(t, nil)
	id := b.run("while :; do sleep 0.05; done", nil)
	out, _, err := b.service.ExecSync(t.Context(), id, []string{"head", "-c", "20000000", "/dev/zero"}, 0)
	if err != nil || len(out) != mostPrinted {
		t.Errorf("%d bytes, %v", len(out), err)
	}
}
