package cgroup

import (
	"fmt"
	"os"
	"testing"
)

// milli is the quota that the kernel holds a group to, in thousandths of a core.
func milli(t *testing.T, group *Group) uint64 {
	t.Helper()
	var quota, period uint64
	switch files := group.files.(type) {
	case separate:
		var err error
		if quota, err = number(files.file("cpu", group.name, "cpu.cfs_quota_us")); err != nil {
			t.Fatal(err)
		}
		if period, err = number(files.file("cpu", group.name, "cpu.cfs_period_us")); err != nil {
			t.Fatal(err)
		}
	case unified:
		text, err := os.ReadFile(files.file(group.name, "cpu.max"))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := fmt.Sscan(string(text), &quota, &period); err != nil {
			t.Fatal(err)
		}
	}
	return quota * 1000 / period
}

func pids(t *testing.T, group *Group) uint64 {
	t.Helper()
	var file string
	switch files := group.files.(type) {
	case separate:
		file = files.file("pids", group.name, "pids.max")
	case unified:
		file = files.file(group.name, "pids.max")
	}
	most, err := number(file) // a plain file that is written over has "00"
	if err != nil {
		t.Fatal(err)
	}
	return most
}

func TestAPaceHoldsForAllThatIsBelowAndIsTakenBack(t *testing.T) {
	t.Run("here", func(t *testing.T) {
		outer, inner := groupHere(t)
		paced(t, outer, inner)
	})
	t.Run("v2", func(t *testing.T) {
		limits := Limits{QuotaMicroseconds: 50_000, PeriodMicroseconds: 100_000}
		outer, err := newGroup(unified{t.TempDir()}, &tree{percent: whole}, nil, "outer", limits)
		if err != nil {
			t.Fatal(err)
		}
		inner, err := outer.Child("inner", Milli(2000).With(Limits{Pids: 20}))
		if err != nil {
			t.Fatal(err)
		}
		paced(t, outer, inner)
	})
}

// paced expects a group of 500m, and one in it that was cut to them.
func paced(t *testing.T, outer, inner *Group) {
	t.Helper()
	small, err := outer.Child("small", Milli(50))
	if err != nil {
		t.Fatal(err)
	}
	seen := func(when string, wanted map[*Group]uint64) {
		t.Helper()
		for group, quota := range wanted {
			if got := milli(t, group); got != quota {
				t.Errorf("%s: %s has %dm, wanted %dm", when, group.name, got, quota)
			}
		}
	}
	seen("before", map[*Group]uint64{outer: 500, inner: 500, small: 50})
	if err := outer.Pace(25); err != nil {
		t.Fatal(err)
	}
	seen("cut", map[*Group]uint64{outer: 125, inner: 125, small: 50})

	later, err := outer.Child("later", Milli(400))
	if err != nil {
		t.Fatal(err)
	}
	if err := small.Limit(Milli(300)); err != nil {
		t.Fatal(err)
	}
	seen("made and changed meanwhile", map[*Group]uint64{later: 125, small: 125})

	if err := inner.files.shut(inner.name); err != nil { // as at its end
		t.Fatal(err)
	}
	if err := outer.Pace(100); err != nil {
		t.Fatal(err)
	}
	seen("taken back", map[*Group]uint64{outer: 500, later: 400, small: 300})
	if most := pids(t, inner); most != 0 {
		t.Errorf("a group that was shut takes %d processes", most)
	}
	inner.tree.drop(inner)
	if names := len(outer.tree.groups); names != 3 {
		t.Errorf("%d groups are known after one was closed, wanted 3", names)
	}
}

func TestAPaceLeavesTheKernelsLeastQuota(t *testing.T) {
	if got := Milli(20).paced(1); got.QuotaMicroseconds != leastQuota {
		t.Errorf("%+v", got)
	}
	if got := (Limits{Shares: 5}).paced(25); got != (Limits{Shares: 5}) {
		t.Errorf("without a quota: %+v", got)
	}
	if got := Milli(500).paced(whole); got != Milli(500) {
		t.Errorf("all of it: %+v", got)
	}
}
