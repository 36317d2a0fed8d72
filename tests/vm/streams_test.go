package main

import (
	"fmt"
	"reflect"
	"strings"
	"testing"
)

func invented(t *testing.T, kernel, hook, variant, text string) stream {
	t.Helper()
	data, err := pack([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	s, err := newStream(kernel, record{Hook: hook, Name: variant, Data: data})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestCompareNamesEachDifference(t *testing.T) {
	first := invented(t, "5.10", "kprobe", "amd64", `[
		{"name":"msgget","args":[1,18446744073709551615],"null":null},
		{"name":"msgctl"}]`)
	for text, want := range map[string][]string{
		`[{"null":null,"args":[1,18446744073709551615],"name":"msgget"},{"name":"msgctl"}]`: nil,
		`[{"name":"msgget","args":[1,18446744073709551614]},{"name":"msgctl","more":{"a":true}}]`: {
			"6.1 fentry: amd64[0].args[1] is 18446744073709551614, and 18446744073709551615 with 5.10 kprobe",
			"6.1 fentry: amd64[0].null is absent, and null with 5.10 kprobe",
			`6.1 fentry: amd64[1].more is {"a":true}, and absent with 5.10 kprobe`,
		},
		`[{"name":"msgget","args":{"1":1},"null":null}]`: {
			`6.1 fentry: amd64[0].args is {"1":1}, and [1,18446744073709551615] with 5.10 kprobe`,
			`6.1 fentry: amd64[1] is absent, and {"name":"msgctl"} with 5.10 kprobe`,
		},
	} {
		got := compare(first, invented(t, "6.1", "fentry", "amd64", text))
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%s:\ngot  %q\nwant %q", text, got, want)
		}
	}
}

func TestCompareEndsWithTheTenth(t *testing.T) {
	numbers := func(step int) string {
		var list []string
		for i := range 50 {
			list = append(list, fmt.Sprintf(`{"n":%d}`, i*step))
		}
		return "[" + strings.Join(list, ",") + "]"
	}
	got := compare(invented(t, "a", "h", "v", numbers(1)), invented(t, "b", "h", "v", numbers(2)))
	if len(got) != differenceLimit+1 || !strings.HasSuffix(got[differenceLimit], "and more") {
		t.Errorf("got %q", got)
	}
}

func TestStreamsOfDebianKernelsAreComplete(t *testing.T) {
	hooks := []*hookResult{{Hook: "tracepoint"}}
	host := &result{Kernel: "host", Hooks: hooks, streams: []stream{invented(t, "host", "tracepoint", "amd64", "[{}]")}}
	sid := &result{Kernel: "sid", Hooks: hooks, every: true, streams: []stream{
		invented(t, "sid", "tracepoint", "amd64", "[{}]"),
		invented(t, "sid", "tracepoint", "i386", "[{}]"),
	}}
	c := compareStreams([]*result{host, sid})
	if len(c.Differences) != 0 || c.Streams != 3 || c.Events != 3 || len(c.Variants) != 2 {
		t.Errorf("got %+v", c)
	}
	sid.streams = sid.streams[1:]
	c = compareStreams([]*result{host, sid})
	if want := []string{"sid tracepoint: no stream amd64"}; !reflect.DeepEqual(c.Differences, want) {
		t.Errorf("got %q, want %q", c.Differences, want)
	}
}

func TestNewStreamRefuses(t *testing.T) {
	object, err := pack([]byte(`{}`))
	if err != nil {
		t.Fatal(err)
	}
	for _, data := range []string{"", "?", "AAAA", object} {
		if _, err := newStream("a", record{Data: data}); err == nil {
			t.Errorf("no error for %q", data)
		}
	}
}
