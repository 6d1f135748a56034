package identity

import (
	"fmt"
	"net"
	"os"
	"slices"
	"testing"
)

func TestABlockIsOnePodsUntilItEnds(t *testing.T) {
	taken := map[uint32]bool{}
	for range 200 {
		block, err := Reserve()
		if err != nil {
			t.Fatal(err)
		}
		defer block.Release()
		if block.Base < lowest || block.Base >= highest || block.Base%Ids != 0 || taken[block.Base] {
			t.Fatalf("base %#x, taken: %v", block.Base, taken[block.Base])
		}
		taken[block.Base] = true
	}
}

// As any pod could, which shares the host's network.
func TestWhoeverTakesNamesOfTheNetworkTakesNoIds(t *testing.T) {
	for base := lowest; base < highest; base += Ids {
		if taken, err := net.Listen("unix", fmt.Sprintf("@kompute-ids-%d", base)); err == nil {
			defer taken.Close()
		}
	}
	block, err := Reserve()
	if err != nil {
		t.Fatal(err)
	}
	block.Release()
}

func TestIdsOfAPodAreItsBlocks(t *testing.T) {
	block := &Block{Base: 0x7001_0000}
	as, err := block.As(0, Ids-1, []int64{5})
	if err != nil {
		t.Fatal(err)
	}
	if as.Uid != 0x7001_0000 || as.Gid != 0x7001_ffff || !slices.Equal(as.Groups, []uint32{0x7001_0005}) {
		t.Errorf("%+v", as)
	}
	for _, row := range [][3]int64{{Ids, 0, 0}, {0, Ids, 0}, {0, 0, Ids}, {-1, 0, 0}} {
		if as, err := block.As(row[0], row[1], row[2:]); err == nil {
			t.Errorf("%v: %+v", row, as)
		}
	}
}

func TestAStageHidesNothingThatIsUsed(t *testing.T) {
	for path, held := range map[string]bool{
		"/boot": true, "/boot/devnet": true, "/bootstrap": false, "/": false, "/srv/boot": false,
	} {
		if holds("/boot", []string{"/usr", path}) != held {
			t.Errorf("%s: wanted %v", path, held)
		}
	}
	stage := &Stage{"/boot"}
	if !stage.Hides("/boot/x/../y") || stage.Hides("/boot/../srv") {
		t.Error("a path is taken as it is written")
	}
}

func TestAStageNeedsMountsOfItsOwn(t *testing.T) {
	before, err := os.ReadFile("/proc/self/mounts")
	if err != nil {
		t.Fatal(err)
	}
	if stage, err := NewStage(); err == nil {
		t.Errorf("mounted on %s, for everybody", stage.folder)
	}
	after, err := os.ReadFile("/proc/self/mounts")
	if err != nil {
		t.Fatal(err)
	}
	if string(before) != string(after) {
		t.Error("something was mounted")
	}
}
