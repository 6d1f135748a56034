package runtime

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"

	cri "k8s.io/cri-api/pkg/apis/runtime/v1"

	"kompute.network/devnet/controlplane/node/identity"
	"kompute.network/devnet/controlplane/node/sandbox"
)

// identified is who a container is on this machine, and what it sees of it. All of it is nil where
// containers have the node's own id.
type identified struct {
	as     *syscall.Credential
	users  *os.File // its user namespace
	set    *identity.Set
	places map[string]string // where what it sees is on the stage
}

// showAll makes what every container uses reachable for all users.
func (s *Service) showAll() error {
	s.program = s.options.Bubblewrap
	for _, path := range s.options.Visible {
		s.visible = append(s.visible, sandbox.Mount{Source: path, Target: path, ReadOnly: true})
	}
	if s.options.Machine == nil {
		return nil
	}
	set, err := s.options.Machine.Set(newID())
	if err != nil {
		return err
	}
	if s.program, err = set.Program(s.options.Bubblewrap); err != nil {
		return err
	}
	for i, mount := range s.visible {
		if s.visible[i].Source, err = set.Show(mount.Source, nil); err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
	}
	return nil
}

// identify gives a container its ids, and shows it what is its own with them.
func (s *Service) identify(c *container) error {
	if c.pod.ids == nil {
		return nil
	}
	user := c.user().Linux
	as, err := c.pod.ids.As(user.Uid, user.Gid, user.SupplementalGroups)
	if err != nil {
		return err
	}
	c.who = &identified{as: as, places: map[string]string{}}
	if c.who.users, err = c.pod.ids.Namespace(uint32(user.Uid)); err != nil {
		return err
	}
	if c.who.set, err = s.options.Machine.Set(c.id); err != nil {
		return err
	}
	sources := []string{c.scratch}
	if folder := c.pod.config.Annotations[FolderAnnotation]; folder != "" {
		if s.options.Machine.Hides(folder) {
			return fmt.Errorf("metadata.annotations[%s]: %s cannot be shown from below %s",
				FolderAnnotation, folder, filepath.Dir(c.who.set.Folder()))
		}
		sources = append(sources, folder)
	}
	for _, mount := range c.config.Mounts {
		sources = append(sources, mount.HostPath)
	}
	for _, source := range sources {
		place, err := c.who.set.Show(source, c.who.users)
		if errors.Is(err, identity.ErrUnmapped) {
			place, err = c.who.set.Show(source, nil)
		}
		if err != nil {
			return err
		}
		c.who.places[source] = place
	}
	return nil
}

// user is what the pod's ids are, as far as they were asked for.
func (c *container) user() *cri.ContainerUser {
	security := c.config.GetLinux().GetSecurityContext()
	return &cri.ContainerUser{Linux: &cri.LinuxContainerUser{
		Uid:                security.GetRunAsUser().GetValue(),
		Gid:                security.GetRunAsGroup().GetValue(),
		SupplementalGroups: security.GetSupplementalGroups(),
	}}
}

// place of a path of this machine, for whoever the container is.
func (i *identified) place(source string) string {
	if i != nil {
		if place, ok := i.places[source]; ok {
			return place
		}
	}
	return source
}

// credential is nil for who has the node's own id.
func (i *identified) credential() *syscall.Credential {
	if i == nil {
		return nil
	}
	return i.as
}

// open its user namespace once more, for a process that takes it along.
func (i *identified) open() (*os.File, error) {
	copied, err := syscall.Dup(int(i.users.Fd()))
	if err != nil {
		return nil, fmt.Errorf("a user namespace: %w", err)
	}
	syscall.CloseOnExec(copied)
	return os.NewFile(uintptr(copied), "users"), nil
}

// close takes away what it sees; again where it failed.
func (i *identified) close() error {
	if i == nil {
		return nil
	}
	var faults []error
	if i.set != nil {
		faults = append(faults, i.set.Close())
	}
	if i.users != nil {
		faults = append(faults, i.users.Close())
		i.users = nil
	}
	return errors.Join(faults...)
}
