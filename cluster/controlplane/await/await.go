// Package await lets a component load before the API server that it needs is there.
package await

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/spf13/cobra"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
)

const (
	every      = 50 * time.Millisecond
	oneRequest = 2 * time.Second
	flag       = "await-server"
)

// ForServer gives the command a flag by which it runs only once the API server of its `--kubeconfig`
// is ready. A component that begins before asks again a whole second later, or gives up after ten.
func ForServer(command *cobra.Command) *cobra.Command {
	awaits := command.Flags().Bool(flag, false, "Begin once the API server answers /readyz.")
	run := command.RunE
	command.RunE = func(command *cobra.Command, arguments []string) error {
		if *awaits {
			file, err := command.Flags().GetString("kubeconfig")
			if err != nil {
				return fmt.Errorf("--%s: %w", flag, err)
			}
			if err := Ready(context.Background(), file); err != nil {
				return fmt.Errorf("--%s: %w", flag, err)
			}
		}
		return run(command, arguments)
	}
	return command
}

// Ready returns once the API server of that kubeconfig answers /readyz with 200, or with the
// context's error; until then it is asked, whatever it answers. A signal ends the process as it does
// any that has set no handler.
func Ready(ctx context.Context, kubeconfig string) error {
	settings, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
	if err != nil {
		return fmt.Errorf("kubeconfig %q: %w", kubeconfig, err)
	}
	settings.Timeout = oneRequest
	client, err := rest.HTTPClientFor(settings)
	if err != nil {
		return fmt.Errorf("kubeconfig %q: %w", kubeconfig, err)
	}
	defer client.CloseIdleConnections()
	next := time.NewTicker(every)
	defer next.Stop()
	for !ready(ctx, client, settings.Host+"/readyz") {
		select {
		case <-ctx.Done():
			return fmt.Errorf("the API server %s: %w", settings.Host, ctx.Err())
		case <-next.C:
		}
	}
	return nil
}

func ready(ctx context.Context, client *http.Client, url string) bool {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		return false
	}
	answer, err := client.Do(request)
	if err != nil {
		return false // not there yet
	}
	defer func() { _ = answer.Body.Close() }()
	// Read to its end, the connection serves the next request too.
	_, err = io.Copy(io.Discard, answer.Body)
	return err == nil && answer.StatusCode == http.StatusOK
}
