package node

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"kompute.network/devnet/controlplane/node/runtime"
)

// folders of this machine that pods may name, which is the devnet's to say: an annotation is
// anybody's to write, and the node can read what its pods' authors may not.
type folders struct {
	handed string   // the file of those that were handed to the nodes
	hidden []string // the devnet's own, below which is none of them
}

// ofFolder names a folder that is none or may not be named.
func (f *faults) ofFolder(container, image, folder string) {
	const field = "metadata.annotations[" + runtime.FolderAnnotation + "]"
	if !filepath.IsAbs(folder) {
		f.when(true, field, fmt.Sprintf(
			"%s of image %s needs the absolute path of its folder, this is %q", container, image, folder))
	} else if err := f.folders.check(folder); err != nil {
		f.when(true, field, err.Error())
	}
}

// check says why a folder may not be named.
func (f folders) check(folder string) error {
	handed, err := f.read()
	if err != nil {
		return err
	}
	// What lies in it and is hidden is known by its path, which has to be the one way to write it.
	if plain := filepath.Clean(folder); plain != folder {
		return fmt.Errorf("%q is to be written as %q", folder, plain)
	}
	really, err := filepath.EvalSymlinks(folder)
	if err != nil {
		return fmt.Errorf("%s is no folder of this machine: %w", folder, err)
	}
	for _, each := range handed {
		allowed, err := filepath.EvalSymlinks(each)
		if err == nil && below(really, allowed) && !f.hides(really, allowed) {
			return nil
		}
	}
	told := "none"
	if len(handed) > 0 {
		told = strings.Join(handed, ", ")
	}
	return fmt.Errorf("%s is not in a folder that this devnet has handed to its nodes (%s)", folder, told)
}

// hides says whether the folder is the devnet's own and merely lies below what was handed out.
func (f folders) hides(folder, handed string) bool {
	for _, each := range f.hidden {
		hidden, err := filepath.EvalSymlinks(each)
		if err == nil && below(hidden, handed) && below(folder, hidden) && hidden != handed {
			return true
		}
	}
	return false
}

// read what the devnet has written last: it adds each folder before a pod names it.
func (f folders) read() ([]string, error) {
	text, err := os.ReadFile(f.handed)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("the folders handed to nodes: %w", err)
	}
	var handed []string
	if err := json.Unmarshal(text, &handed); err != nil {
		return nil, fmt.Errorf("the folders handed to nodes, %s: %w", f.handed, err)
	}
	return handed, nil
}

// below says whether a path is the other or lies in it; both are clean.
func below(path, folder string) bool {
	return path == folder || strings.HasPrefix(path, strings.TrimSuffix(folder, "/")+"/")
}
