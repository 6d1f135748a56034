package identity

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"
)

// Machine is what was found out of this one by trying: pods can have ids of their own here.
type Machine struct {
	*Stage
	// Unmapped is why files are not shown with a pod's ids; nil where they are.
	Unmapped error
}

// Try makes what a pod needs, once: a user namespace and a stage with the node's folder on it. Its
// error is the machine's own word on why there is none of it; `used` is what a stage may not hide.
func Try(folder string, used ...string) (*Machine, error) {
	block, err := Reserve()
	if err != nil {
		return nil, err
	}
	defer block.Release()
	namespace, err := block.Namespace(0)
	if err != nil {
		return nil, err
	}
	defer namespace.Close()
	stage, err := NewStage(append(used, folder)...)
	if err != nil {
		return nil, err
	}
	set, err := stage.Set("trial")
	if err != nil {
		return nil, err
	}
	made := &Machine{Stage: stage}
	// In memory, as secrets are, and on the node's disk; in this order, for the first holds the second.
	for _, source := range []string{set.folder, folder} {
		if _, err := set.Show(source, namespace); err != nil {
			if !errors.Is(err, ErrUnmapped) {
				return nil, errors.Join(err, set.Close())
			}
			made.Unmapped = err
		}
	}
	return made, set.Close()
}

// Program shows one with the libraries of its wheel, which lie beside its package: the loader finds
// them by its place.
func (s *Set) Program(file string) (string, error) {
	folder := filepath.Dir(file)
	for above := folder; above != "/"; above = filepath.Dir(above) {
		if found, _ := filepath.Glob(filepath.Join(above, "*.libs")); len(found) > 0 {
			folder = above
			break
		}
		if strings.Count(strings.TrimPrefix(folder, above), "/") == 2 {
			break
		}
	}
	shown, err := s.Show(folder, nil)
	if err != nil {
		return "", fmt.Errorf("a program for all users: %w", err)
	}
	within, err := filepath.Rel(folder, file)
	return filepath.Join(shown, within), err
}
