package runtime

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"time"

	cri "k8s.io/cri-api/pkg/apis/runtime/v1"
	"k8s.io/cri-streaming/pkg/streaming"
	"k8s.io/cri-streaming/pkg/streaming/remotecommand"
	"k8s.io/klog/v2"
)

const (
	streamIdle = 4 * time.Hour // as other runtimes have it
	dialLimit  = 5 * time.Second
)

// serveStreams opens the port to which the kubelet passes exec, attach and port-forward on. A
// request is known by a token that is used once.
func (s *Service) serveStreams() error {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	config := streaming.DefaultConfig
	config.Addr = listener.Addr().String()
	config.BaseURL = &url.URL{Scheme: "http", Host: config.Addr}
	config.StreamIdleTimeout = streamIdle
	if s.streams, err = streaming.NewServer(config, doing{s}); err != nil {
		return errors.Join(err, listener.Close())
	}
	go func() {
		server := http.Server{Handler: s.streams, ReadHeaderTimeout: dialLimit}
		klog.Background().Error(server.Serve(listener), "streams of exec, attach and port-forward have ended")
	}()
	return nil
}

func (s *Service) Exec(_ context.Context, request *cri.ExecRequest) (*cri.ExecResponse, error) {
	c := s.container(request.ContainerId)
	if c == nil {
		return nil, unknown("container", request.ContainerId)
	}
	if _, err := c.running(); err != nil {
		return nil, err
	}
	return s.streams.GetExec(request)
}

func (s *Service) Attach(_ context.Context, request *cri.AttachRequest) (*cri.AttachResponse, error) {
	c := s.container(request.ContainerId)
	if c == nil {
		return nil, unknown("container", request.ContainerId)
	}
	if _, err := c.running(); err != nil {
		return nil, err
	}
	return s.streams.GetAttach(request)
}

func (s *Service) PortForward(_ context.Context, request *cri.PortForwardRequest) (*cri.PortForwardResponse, error) {
	if pod, _ := s.pod(request.PodSandboxId); pod == nil {
		return nil, unknown("pod sandbox", request.PodSandboxId)
	}
	return s.streams.GetPortForward(request)
}

// doing is what the streaming server has done; its names are the Service's with other meanings.
type doing struct{ service *Service }

func (d doing) Exec(
	ctx context.Context, id string, command []string, in io.Reader, out, err io.WriteCloser,
	terminal bool, sizes <-chan remotecommand.TerminalSize,
) error {
	with := streams{in: in, terminal: terminal, sizes: sizes}
	// A nil pointer in an interface is not a nil interface.
	if out != nil {
		with.out = out
	}
	if err != nil {
		with.err = err
	}
	return d.service.execute(ctx, id, command, with)
}

// Attach shows what the container prints from now on, until it ends or the client leaves.
func (d doing) Attach(
	ctx context.Context, id string, in io.Reader, out, err io.WriteCloser, _ bool,
	sizes <-chan remotecommand.TerminalSize,
) error {
	c := d.service.container(id)
	if c == nil {
		return unknown("container", id)
	}
	if _, err := c.running(); err != nil {
		return err
	}
	c.mu.Lock()
	typed, terminal := c.typed, c.terminal
	c.mu.Unlock()
	// A nil pointer in an interface is not a nil interface.
	var shown, complained io.Writer
	if out != nil {
		shown = out
	}
	if err != nil {
		complained = err
	}
	client := newListener(shown, complained)
	defer client.leave(nil)
	c.printed.listen(client)
	defer c.printed.leave(client)
	if terminal != nil {
		go follow(terminal, sizes)
	}
	typedAll := make(chan struct{})
	if in != nil && typed != nil {
		go func() {
			_, _ = io.Copy(typed, in)
			if c.config.StdinOnce && terminal == nil {
				_ = typed.Close()
			}
			if out == nil && err == nil {
				close(typedAll)
			}
		}()
	}
	select {
	case <-c.done:
		return client.finish()
	case <-client.left:
		return client.fault
	case <-typedAll:
	case <-ctx.Done():
	}
	return nil
}

func (d doing) PortForward(ctx context.Context, id string, port int32, stream io.ReadWriteCloser) error {
	pod, _ := d.service.pod(id)
	if pod == nil {
		return unknown("pod sandbox", id)
	}
	defer stream.Close()
	dialer := net.Dialer{Timeout: dialLimit}
	connection, err := dialer.DialContext(ctx, "tcp", net.JoinHostPort(pod.address.ip, strconv.Itoa(int(port))))
	if err != nil {
		return fmt.Errorf("port %d of the pod: %w", port, err)
	}
	defer connection.Close()
	go func() {
		_, _ = io.Copy(connection, stream)
		_ = connection.(*net.TCPConn).CloseWrite() // the pod may have more to say
	}()
	said := make(chan struct{})
	go func() {
		_, _ = io.Copy(stream, connection)
		close(said)
	}()
	select {
	case <-ctx.Done():
	case <-said: // the pod has closed its end: nothing more can be heard
	}
	return nil
}
