package sandbox

import (
	"encoding/binary"
	"testing"

	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"
)

// call is what the kernel hands to a filter, in the byte order that x/net's machine reads.
func call(number, abi uint32, first uint64) []byte {
	data := make([]byte, 64)
	binary.BigEndian.PutUint32(data[callNumber:], number)
	binary.BigEndian.PutUint32(data[callABI:], abi)
	binary.BigEndian.PutUint32(data[firstArgLow:], uint32(first))
	return data
}

func TestTheFilterRefusesWhatReachesTheKernel(t *testing.T) {
	abi, err := nativeABI()
	if err != nil {
		t.Skip(err)
	}
	text, err := assemble(abi)
	if err != nil {
		t.Fatal(err)
	}
	var raw []bpf.RawInstruction
	for ; len(text) > 0; text = text[8:] {
		raw = append(raw, bpf.RawInstruction{
			Op: binary.NativeEndian.Uint16(text), Jt: text[2], Jf: text[3],
			K: binary.NativeEndian.Uint32(text[4:]),
		})
	}
	program, whole := bpf.Disassemble(raw)
	if !whole {
		t.Fatal("not a program")
	}
	machine, err := bpf.NewVM(program)
	if err != nil {
		t.Fatal(err)
	}
	for name, row := range map[string]struct {
		call   []byte
		answer uint32
	}{
		"write":                     {call(unix.SYS_WRITE, abi, 1), allow},
		"fork":                      {call(unix.SYS_CLONE, abi, uint64(unix.SIGCHLD)), allow},
		"clone of a user namespace": {call(unix.SYS_CLONE, abi, unix.CLONE_NEWUSER), denied},
		"clone3":                    {call(unix.SYS_CLONE3, abi, 0), unknown},
		"mount":                     {call(unix.SYS_MOUNT, abi, 0), denied},
		"unshare":                   {call(unix.SYS_UNSHARE, abi, 0), denied},
		"the last of the list":      {call(refused[len(refused)-1], abi, 0), denied},
		"another ABI":               {call(unix.SYS_WRITE, abi+1, 0), denied},
		"the same ABI's other half": {call(otherABICall+1, abi, 0), denied},
	} {
		answer, err := machine.Run(row.call)
		if err != nil {
			t.Fatal(err)
		}
		if uint32(answer) != row.answer {
			t.Errorf("%s: %#x, wanted %#x", name, answer, row.answer)
		}
	}
}
