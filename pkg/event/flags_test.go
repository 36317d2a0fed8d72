package event

import (
	"slices"
	"testing"
)

func TestFlags(t *testing.T) {
	for _, test := range []struct {
		decoder Decoder
		value   uint32
		want    []string
	}{
		{GetFlags, 0o1600, []string{"IPC_CREAT"}},
		{GetFlags, 0o3666, []string{"IPC_CREAT", "IPC_EXCL"}},
		{GetFlags, 0o777, nil},
		{MsgsndFlags, 0o4000, []string{"IPC_NOWAIT"}},
		{ShmgetFlags, 0o4000, []string{"SHM_HUGETLB"}},
		{ShmgetFlags, 0o5600 | 21<<26, []string{"IPC_CREAT", "SHM_HUGETLB", "SHM_HUGE_2MB"}},
		{ShmgetFlags, 30 << 26, []string{"SHM_HUGE_1GB"}},
		{ShmgetFlags, 63 << 26, []string{"SHM_HUGE_8589934592GB"}},
		{MsgrcvFlags, 0o44000, []string{"IPC_NOWAIT", "MSG_COPY"}},
		{MsgrcvFlags, 0o10000, []string{"MSG_NOERROR"}},
		{ShmatFlags, 0o10000, []string{"SHM_RDONLY"}},
		{ShmatFlags, 0o140000, []string{"SHM_REMAP", "SHM_EXEC"}},
		{SembufFlags, 0x1800, []string{"IPC_NOWAIT", "SEM_UNDO"}},
		{MsgsndFlags, 0xffffffff, []string{"IPC_NOWAIT", "0xfffff7ff"}},
	} {
		if got := test.decoder.Flags(nil, test.value); !slices.Equal(got, test.want) {
			t.Errorf("decoder %d of %#o: %v, want %v", test.decoder, test.value, got, test.want)
		}
	}
}

func TestCommands(t *testing.T) {
	for _, test := range []struct {
		decoder Decoder
		value   uint32
		want    string
	}{
		{MsgCommands, 11, "MSG_STAT"}, {SemCommands, 11, "GETPID"}, {ShmCommands, 11, "SHM_LOCK"},
		{MsgCommands, 13, "MSG_STAT_ANY"}, {SemCommands, 13, "GETALL"}, {ShmCommands, 13, "SHM_STAT"},
		{MsgCommands, IPCSet | IPC64, "IPC_SET"}, {ShmCommands, 99, ""}, {IPCCalls, 12, "MSGRCV"}, {IPCCalls, 5, ""},
	} {
		if got := test.decoder.Command(test.value); got != test.want {
			t.Errorf("decoder %d of %d: %q, want %q", test.decoder, test.value, got, test.want)
		}
	}
}

func TestErrno(t *testing.T) {
	for ret, want := range map[int64]string{
		0: "", 7: "", -11: "EAGAIN", -42: "ENOMSG", -514: "ERESTARTNOHAND", -4000: "E4000",
		-4096: "", int64(0xf7fc4000): "",
	} {
		if got := Errno(ret); got != want {
			t.Errorf("Errno(%d) = %q, want %q", ret, got, want)
		}
	}
}

func TestDecodeSettings(t *testing.T) {
	native := make([]byte, 120)
	native[4], native[8], native[20], native[21], native[88] = 1, 2, 0x80, 0x01, 7
	old := make([]byte, 56)
	old[4], old[6], old[12], old[13], old[48] = 1, 2, 0x80, 0x01, 7
	compat := make([]byte, 88)
	copy(compat, native[:24])
	compat[68] = 7
	want := SetRequest{UID: 1, GID: 2, Mode: 0o600, QueueBytes: 7}
	for _, test := range []struct {
		name string
		abi  ABI
		old  bool
		b    []byte
	}{{"native", AMD64, false, native}, {"32-bit", I386, false, compat}, {"old", I386, true, old}} {
		got, ok := DecodeSettings(MessageQueue, test.abi, test.old, test.b)
		if !ok || got != want {
			t.Errorf("%s: %+v %t, want %+v", test.name, got, ok, want)
		}
		for cut := range test.b {
			DecodeSettings(MessageQueue, test.abi, test.old, test.b[:cut]) // must not panic
		}
	}
}
