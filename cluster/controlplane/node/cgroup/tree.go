package cgroup

import (
	"errors"
	"os"
	"slices"
	"sync"
)

// tree is a group that New made and all that were made in it, oldest first: each one comes after
// the group around it.
type tree struct {
	mu      sync.Mutex
	groups  []*Group
	percent int64 // of its quota, what the first group has
}

func (t *tree) add(group *Group, limits Limits) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	group.wished = limits
	if err := group.write(t.inForce(group)); err != nil {
		return err
	}
	t.groups = append(t.groups, group)
	return nil
}

func (t *tree) limit(group *Group, limits Limits) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	group.wished = limits
	return group.write(t.inForce(group))
}

func (t *tree) drop(group *Group) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.groups = slices.DeleteFunc(t.groups, func(each *Group) bool { return each == group })
}

// inForce is what the group may have of its wish, with what the groups above have now.
func (t *tree) inForce(group *Group) Limits {
	limits := group.wished
	if group.above == nil {
		limits = limits.paced(t.percent)
	}
	for above := group.above; above != nil; above = above.above {
		limits = limits.within(above.limits)
	}
	return limits.even()
}

// pace changes every quota of the tree. In v1 none may be above that of a group around it, at no
// moment: what is cut is cut from below, what is given back is given from above. Nothing else is
// written: a group that is ended must not be opened for new processes again.
func (t *tree) pace(percent int64) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	before, cut := t.percent, percent < t.percent
	t.percent = percent
	order := slices.Clone(t.groups)
	for _, group := range order {
		group.limits = t.inForce(group)
	}
	if cut {
		slices.Reverse(order)
	}
	var faults []error
	for _, group := range order {
		err := group.writeQuota()
		if err != nil && !errors.Is(err, os.ErrNotExist) { // one that is being removed has gone
			faults = append(faults, err)
		}
	}
	if len(faults) > 0 {
		t.percent = before // whoever tries again does so in the same order
	}
	return errors.Join(faults...)
}
