package node

import (
	"os"
	"path/filepath"
	"strings"

	kubecontainer "k8s.io/kubernetes/pkg/kubelet/container"
)

// legacyLogs is where a kubelet links the logs of all containers of its host, for collectors of
// logs: the host is not the node's, so those links are left out.
const legacyLogs = "/var/log/containers"

type hostFiles struct{ kubecontainer.RealOS }

func (h hostFiles) MkdirAll(path string, mode os.FileMode) error {
	if legacy(path) {
		return nil
	}
	return h.RealOS.MkdirAll(path, mode)
}

func (h hostFiles) Symlink(old, link string) error {
	if legacy(link) {
		return nil
	}
	return h.RealOS.Symlink(old, link)
}

func (h hostFiles) Remove(path string) error {
	if legacy(path) {
		return nil
	}
	return h.RealOS.Remove(path)
}

func (h hostFiles) Glob(pattern string) ([]string, error) {
	if legacy(pattern) {
		return nil, nil
	}
	return h.RealOS.Glob(pattern)
}

func legacy(path string) bool {
	return path == legacyLogs || strings.HasPrefix(filepath.Clean(path), legacyLogs+"/")
}
