package e2e

import (
	"slices"
	"testing"
	"time"
)

// watchRaces runs acts of programs/races.c under trace, and returns what each says
// of itself, by the name of the act, and all that was reported.
func watchRaces(t *testing.T, v variant, snapshot string, acts ...string) (said map[string]outcome, all []document) {
	t.Helper()
	path := v.races().build(t)
	w := trace(t, "--snapshot-bytes", snapshot)
	said = map[string]outcome{}
	for _, act := range acts {
		o := race(t, path, act)
		w.awaitEnd(o.pid)
		said[act] = o
	}
	w.stop()
	return said, w.documents()
}

// lastCall is the last call of a thread with a name. Before it there are those that
// fill the queue.
func lastCall(t *testing.T, all []document, name string, tid uint32) document {
	t.Helper()
	for _, d := range slices.Backward(all) {
		if d.EventName == name && d.HostThreadID == tid {
			return d
		}
	}
	t.Fatalf("no %s of thread %d", name, tid)
	return document{}
}

// input is the region of an argument, which must be there.
func (d document) input(t *testing.T, arg string) region {
	t.Helper()
	memory := d.region(arg)
	if memory == nil {
		t.Fatalf("no memory %s: %s", arg, dump(d))
	}
	return *memory
}

func (r region) mapping(at string) mapping {
	for _, m := range r.Mappings {
		if m.Byte == at {
			return m
		}
	}
	return mapping{}
}

// TestViews wants the documents to show what happened to the memory of a call while
// it was under way.
func TestViews(t *testing.T) {
	requireBPF(t)
	requireEveryCall(t)
	for _, v := range raceVariants() {
		t.Run(v.name, func(t *testing.T) {
			requireVariant(t, v)
			testViews(t, v)
		})
	}
}

func testViews(t *testing.T, v variant) {
	acts := []string{"change-message", "change-tail", "same-buffer", "same-buffer-clone", "segment-message", "stalled-message"}
	if v.multiplex {
		acts = append(acts, indirect)
	}
	said, all := watchRaces(t, v, "256", acts...)
	t.Run("changed message", func(t *testing.T) { testChangedMessage(t, v, said["change-message"], all) })
	t.Run("changed tail", func(t *testing.T) { testDigests(t, said["change-tail"], all, 3901) })
	for _, act := range []string{"same-buffer", "same-buffer-clone"} {
		t.Run(act, func(t *testing.T) { testOverlaps(t, said[act], all) })
	}
	t.Run("segment", func(t *testing.T) { testSegmentMapping(t, said["segment-message"], all) })
	t.Run("stall", func(t *testing.T) { testStall(t, said["stalled-message"], all) })
	if v.multiplex {
		t.Run("changed indirection", func(t *testing.T) { testChangedIndirection(t, said[indirect], all) })
	}
}

// TestDigestsOnly wants changes to show where no text may be kept.
func TestDigestsOnly(t *testing.T) {
	requireBPF(t)
	requireEveryCall(t)
	said, all := watchRaces(t, variants[0], "0", "change-message", "change-tail")
	for act, length := range map[string]uint64{"change-message": uint64(len("as it was given")), "change-tail": 3901} {
		t.Run(act, func(t *testing.T) {
			memory := testDigests(t, said[act], all, length)
			for _, c := range []*content{memory.AtEntry, memory.InKernel, memory.AtExit} {
				if c != nil && c.Text != nil && *c.Text != "" {
					t.Errorf("text %q was kept", *c.Text)
				}
			}
		})
	}
}

func testChangedMessage(t *testing.T, v variant, o outcome, all []document) {
	send := lastCall(t, all, "msgsnd", o.TID)
	memory := send.input(t, "msgp")
	var d differences
	via := "syscall"
	if v.multiplex {
		via = "ipc"
	}
	d.equal("via", send.Via, via)
	mustChange(&d, memory)
	for name, c := range map[string]struct {
		got   *content
		mtype int64
		text  string
	}{
		"atEntry": {memory.AtEntry, o.Given.Mtype, o.Given.Text},
		"atExit":  {memory.AtExit, o.Later.Mtype, o.Later.Text},
	} {
		if c.got == nil || c.got.Mtype == nil || c.got.Text == nil {
			d.add(name, dump(c.got), "a message")
			continue
		}
		d.equal(name+".mtype", *c.got.Mtype, c.mtype)
		d.equal(name+".text", *c.got.Text, c.text)
	}
	for _, at := range []string{"first", "last"} {
		m := memory.mapping(at)
		if m.State == "unread" {
			continue // the other thread was changing the mappings
		}
		d.equal("mapping.state", m.State, "read")
		d.equal("mapping.shared", m.Shared, new(false))
		d.equal("mapping.userfaultfd", m.Userfaultfd, new(false))
		d.equal("mapping.segment", m.Segment, (*int32)(nil))
	}
	d.report(t, memory)
}

// testChangedIndirection wants a change of what leads to the buffer, which the kernel
// has followed as it was given.
func testChangedIndirection(t *testing.T, o outcome, all []document) {
	receive := lastCall(t, all, "msgrcv", o.TID)
	memory := receive.input(t, "ptr")
	var d differences
	mustChange(&d, memory)
	d.equal("type", memory.Type, "pointer")
	for i, c := range []*content{memory.AtEntry, memory.AtExit} {
		if c == nil || c.Pointer != o.Pointers[i] {
			d.add("pointer", dump(c), o.Pointers[i])
		}
	}
	d.equal("arg.msgp", receive.Arg["msgp"], any(o.Pointers[0]))
	d.report(t, receive)
}

// mustChange wants input to have changed after the kernel took its copy.
func mustChange(d *differences, memory region) {
	d.equal("written", memory.Written, false)
	d.equal("changed", memory.Changed, new(true))
	if !slices.Contains(memory.Differing, "atEntry-atExit") || slices.Contains(memory.Differing, "atEntry-inKernel") {
		d.add("differing", memory.Differing, "atEntry-atExit and not atEntry-inKernel")
	}
}

// report fails the test if there are differences in what was reported.
func (d *differences) report(t *testing.T, reported any) {
	t.Helper()
	if len(*d) > 0 {
		t.Errorf("%s\n\treported: %s", list(*d), dump(reported))
	}
}

// testDigests wants digests of at least so many bytes that tell the looks apart.
func testDigests(t *testing.T, o outcome, all []document, length uint64) region {
	t.Helper()
	memory := lastCall(t, all, "msgsnd", o.TID).input(t, "msgp")
	var d differences
	mustChange(&d, memory)
	for name, c := range map[string]*content{"atEntry": memory.AtEntry, "atExit": memory.AtExit} {
		if c == nil || c.Digest == "" || c.DigestLength < length {
			d.add(name, dump(c), length)
		}
	}
	if memory.AtEntry != nil && memory.AtExit != nil && memory.AtEntry.Digest == memory.AtExit.Digest {
		d.add("atExit.digest", memory.AtExit.Digest, "another than atEntry's")
	}
	d.report(t, memory)
	return memory
}

// testOverlaps wants each of two calls with the same buffer to name the other one.
// The send was over when the receive was, and not the other way round.
func testOverlaps(t *testing.T, o outcome, all []document) {
	send, receive := lastCall(t, all, "msgsnd", o.Sender), lastCall(t, all, "msgrcv", o.Receiver)
	if o.Sender == o.pid { // the main thread, which has sent what was received as well
		address := receive.Arg["msgp"]
		all = slices.DeleteFunc(slices.Clone(all), func(d document) bool { return d.Arg["msgp"] != address })
		send = lastCall(t, all, "msgsnd", o.Sender)
	}
	var d differences
	d.overlap("the send", send, receive)
	d.overlap("the receive", receive, send)
	for _, other := range send.Overlaps {
		d.equal("the send: writes", other.Writes, true)
		d.equal("the send: durationNs", other.DurationNS, (*int64)(nil))
	}
	for _, other := range receive.Overlaps {
		d.equal("the receive: writes", other.Writes, false)
		if other.DurationNS == nil || *other.DurationNS <= 0 {
			d.add("the receive: durationNs", dump(other), "more than 0")
		}
	}
	d.report(t, []document{send, receive})
}

// overlap wants a call to overlap with another one, and with no more.
func (d *differences) overlap(call string, got, other document) {
	if len(got.Overlaps) != 1 || got.OverlapsOmitted != 0 {
		d.add(call+": overlaps", dump(got.Overlaps), 1)
		return
	}
	o := got.Overlaps[0]
	d.equal(call+": hostProcessId", o.HostProcessID, other.HostProcessID)
	d.equal(call+": hostThreadId", o.HostThreadID, other.HostThreadID)
	d.equal(call+": eventName", o.EventName, other.EventName)
	d.equal(call+": address", any(o.Address), other.Arg["msgp"])
	if memory := other.region("msgp"); memory != nil {
		d.equal(call+": length", o.Length, memory.Length)
	}
	// The clocks of the kernel drift apart between the two records.
	if drift := time.Duration(o.Timestamp - other.Timestamp).Abs(); drift > time.Second {
		d.add(call+": timestamp", o.Timestamp, other.Timestamp)
	}
}

func testSegmentMapping(t *testing.T, o outcome, all []document) {
	memory := lastCall(t, all, "msgsnd", o.pid).input(t, "msgp")
	var d differences
	mustChange(&d, memory)
	for _, at := range []string{"first", "last"} {
		m := memory.mapping(at)
		d.equal(at+": state", m.State, "read")
		d.equal(at+": shared", m.Shared, new(true))
		d.equal(at+": segment", m.Segment, new(o.Segment))
		if m.Attached == nil || *m.Attached < 2 {
			d.add(at+": attached", dump(m), "2 or more")
		}
	}
	d.report(t, memory)
}

func testStall(t *testing.T, o outcome, all []document) {
	if o.Skipped != "" {
		t.Skipf("cannot be done on this machine: %s", o.Skipped)
	}
	const stall = int64(100 * time.Millisecond) // it takes twice as long
	send := lastCall(t, all, "msgsnd", o.pid)
	memory := send.input(t, "msgp")
	var d differences
	d.equal("first: userfaultfd", memory.mapping("first").Userfaultfd, new(false))
	d.equal("last: userfaultfd", memory.mapping("last").Userfaultfd, new(true))
	if send.Sleeps == 0 {
		d.add("sleeps", send.Sleeps, "more than 0")
	}
	if send.DurationNS < stall {
		d.add("durationNs", send.DurationNS, stall)
	}
	if watchesKernel(t) && (send.StalledNS == nil || *send.StalledNS < stall) {
		d.add("stalledNs", dump(send.StalledNS), stall)
	}
	d.report(t, send)
}
