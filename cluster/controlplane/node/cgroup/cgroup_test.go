package cgroup

import (
	"errors"
	"os/exec"
	"strings"
	"testing"
	"time"
)

func TestLimitsWithinThoseAround(t *testing.T) {
	node := Milli(125).even()
	for name, row := range map[string]struct{ wished, got Limits }{
		"a quota above the node's is the node's": {
			Limits{QuotaMicroseconds: 100_000, PeriodMicroseconds: 100_000},
			Limits{QuotaMicroseconds: 2_500, PeriodMicroseconds: 20_000},
		},
		"one below stays": {
			Limits{QuotaMicroseconds: 5_000, PeriodMicroseconds: 100_000},
			Limits{QuotaMicroseconds: 5_000, PeriodMicroseconds: 100_000},
		},
		"none stays none": {Limits{Shares: 51}, Limits{Shares: 51}},
	} {
		if got := row.wished.within(node); got != row.got {
			t.Errorf("%s: %+v, wanted %+v", name, got, row.got)
		}
	}
	around := Limits{MemoryBytes: 100, Pids: 10}
	if got := (Limits{MemoryBytes: 200, Pids: 20}).within(around); got != around {
		t.Errorf("memory and pids: %+v", got)
	}
}

func TestEvenKeepsTheShareWhereTheKernelTakesIt(t *testing.T) {
	for milli, wanted := range map[int64][2]int64{
		500: {10_000, 20_000}, 50: {1_000, 20_000}, 49: {4_900, 100_000}, 1: {1_000, 100_000},
	} {
		got := Milli(milli).even()
		if got.QuotaMicroseconds != wanted[0] || got.PeriodMicroseconds != wanted[1] {
			t.Errorf("%dm: %d in %d, wanted %v", milli, got.QuotaMicroseconds, got.PeriodMicroseconds, wanted)
		}
	}
}

func TestWeight(t *testing.T) {
	for shares, wanted := range map[int64]int64{0: 1, 2: 1, 1024: 39, 262_144: 10_000, 1 << 40: 10_000} {
		if got := weight(shares); got != wanted {
			t.Errorf("%d shares weigh %d, wanted %d", shares, got, wanted)
		}
	}
}

// groupHere is a group of this machine with a process in a group of it.
func groupHere(t *testing.T) (outer, inner *Group) {
	t.Helper()
	outer, err := New("kompute-test-"+strings.ReplaceAll(t.Name(), "/", "-"), Limits{QuotaMicroseconds: 50_000, PeriodMicroseconds: 100_000, MemoryBytes: 64 << 20, Pids: 20})
	if err != nil {
		t.Skipf("no control groups here: %v", err)
	}
	t.Cleanup(func() {
		if err := outer.Close(); err != nil {
			t.Error(err)
		}
	})
	inner, err = outer.Child("inner", Limits{QuotaMicroseconds: 200_000, PeriodMicroseconds: 100_000, MemoryBytes: 16 << 20})
	if err != nil {
		t.Fatal(err)
	}
	return outer, inner
}

func TestKillEndsWhatIsBelow(t *testing.T) {
	outer, inner := groupHere(t)
	sleeper := exec.Command("sleep", "60")
	if err := sleeper.Start(); err != nil {
		t.Fatal(err)
	}
	if err := inner.Join(sleeper.Process.Pid); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error)
	go func() { ended <- sleeper.Wait() }()
	if err := outer.Kill(); err != nil {
		t.Fatal(err)
	}
	select {
	case err := <-ended:
		if err == nil || err.Error() != "signal: killed" {
			t.Errorf("it ended with %v", err)
		}
	case <-time.After(10 * time.Second):
		t.Error("it runs still")
	}
}

func TestOOMIsTheKernelsWord(t *testing.T) {
	_, inner := groupHere(t)
	eater := exec.Command("sh", "-c", "read go; head -c 64m /dev/zero | tail | wc -c")
	begin, err := eater.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := eater.Start(); err != nil {
		t.Fatal(err)
	}
	if err := inner.Join(eater.Process.Pid); err != nil {
		t.Fatal(err)
	}
	if kills := inner.OOMKills(); kills != 0 {
		t.Errorf("%d kills before anything ran", kills)
	}
	_, _ = begin.Write([]byte("\n"))
	_ = eater.Wait()
	if kills := inner.OOMKills(); kills == 0 {
		t.Error("no kill is told after 64 MiB in a group of 16")
	}
	if peak := inner.PeakBytes(); peak < 15<<20 {
		t.Errorf("peak %d", peak)
	}
	usage, err := inner.Usage()
	if err != nil || usage.CPUNanoseconds == 0 {
		t.Errorf("usage %+v, %v", usage, err)
	}
}

// Or whoever forks faster than is killed would go on.
func TestNothingIsForkedWhereAllIsEnded(t *testing.T) {
	outer, inner := groupHere(t)
	if err := outer.Kill(); err != nil {
		t.Fatal(err)
	}
	late := exec.Command("sh", "-c", "read go; true & wait")
	begin, err := late.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := late.Start(); err != nil {
		t.Fatal(err)
	}
	if err := inner.Join(late.Process.Pid); err != nil {
		t.Fatal(err)
	}
	if _, err := begin.Write([]byte("\n")); err != nil {
		t.Fatal(err)
	}
	if err := late.Wait(); err == nil {
		t.Error("it has forked")
	}
}

func TestMemoryAndSwapTogetherAreNoMoreThanMemory(t *testing.T) {
	_, inner := groupHere(t)
	if !inner.BoundsSwap() {
		t.Skip("this kernel does not bound swap")
	}
	for _, megabytes := range []int64{16, 32, 8} { // made, raised, lowered
		if err := inner.Limit(Limits{MemoryBytes: megabytes << 20}); err != nil {
			t.Fatalf("%d MiB: %v", megabytes, err)
		}
		wanted := uint64(megabytes << 20)
		if inner.Version() == "v2" {
			wanted = 0
		}
		if got, err := number(inner.files.swap(inner.name)); got != wanted || err != nil {
			t.Errorf("with %d MiB of memory: %d bytes, %v", megabytes, got, err)
		}
	}
}

func TestAGroupThatDoesNotGetItsLimitsIsNotLeft(t *testing.T) {
	outer, _ := groupHere(t)
	if _, err := outer.Child("refused", Limits{QuotaMicroseconds: 1_000, PeriodMicroseconds: 2_000_000}); !errors.Is(err, ErrRefused) {
		t.Errorf("said %v", err)
	}
	for _, folder := range foldersBelow(place) {
		if strings.HasSuffix(folder, "/"+outer.name+"/refused") {
			t.Errorf("left: %s", folder)
		}
	}
}
