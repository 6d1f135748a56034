package await

import (
	"context"
	"encoding/pem"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/spf13/cobra"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/client-go/tools/clientcmd/api"
)

// A server that is ready from the given request on, and a kubeconfig for it.
func server(t *testing.T, readyAt int32) (*atomic.Int32, string) {
	t.Helper()
	asked := &atomic.Int32{}
	served := httptest.NewTLSServer(http.HandlerFunc(func(answer http.ResponseWriter, request *http.Request) {
		if request.URL.Path != "/readyz" {
			t.Errorf("asked for %s", request.URL.Path)
		}
		if asked.Add(1) < readyAt {
			answer.WriteHeader(http.StatusInternalServerError)
		}
	}))
	t.Cleanup(served.Close)
	config := api.NewConfig()
	config.Clusters["it"] = &api.Cluster{
		Server: served.URL,
		CertificateAuthorityData: pem.EncodeToMemory(
			&pem.Block{Type: "CERTIFICATE", Bytes: served.Certificate().Raw}),
	}
	config.Contexts["it"] = &api.Context{Cluster: "it"}
	config.CurrentContext = "it"
	file := filepath.Join(t.TempDir(), "kubeconfig")
	if err := clientcmd.WriteToFile(*config, file); err != nil {
		t.Fatal(err)
	}
	return asked, file
}

func TestItReturnsWithTheFirstReadyAnswer(t *testing.T) {
	asked, file := server(t, 3)
	if err := Ready(t.Context(), file); err != nil {
		t.Fatal(err)
	}
	if got := asked.Load(); got != 3 {
		t.Errorf("asked %d times, ready at the third", got)
	}
}

func TestItWaitsForAServerThatIsNotReady(t *testing.T) {
	_, file := server(t, 1<<30)
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if err := Ready(ctx, file); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", err)
	}
}

func TestItNamesAKubeconfigThatIsNotThere(t *testing.T) {
	missing := filepath.Join(t.TempDir(), "none")
	err := Ready(t.Context(), missing)
	if !errors.Is(err, os.ErrNotExist) || !strings.Contains(err.Error(), missing) {
		t.Errorf("got %v", err)
	}
}

func TestACommandAwaitsWhenItIsAskedTo(t *testing.T) {
	for _, one := range []struct {
		name  string
		flags []string
		asked int32
	}{
		{"asked to", []string{"--await-server"}, 2},
		{"not asked to", nil, 0},
	} {
		t.Run(one.name, func(t *testing.T) {
			asked, file := server(t, 2)
			ran := false
			command := &cobra.Command{RunE: func(*cobra.Command, []string) error {
				ran = true
				return nil
			}}
			command.Flags().String("kubeconfig", "", "")
			ForServer(command).SetArgs(append(one.flags, "--kubeconfig="+file))
			if err := command.Execute(); err != nil {
				t.Fatal(err)
			}
			if !ran || asked.Load() != one.asked {
				t.Errorf("ran %v, asked %d times, wished %d", ran, asked.Load(), one.asked)
			}
		})
	}
}
