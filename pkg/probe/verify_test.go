package probe

import "testing"

func TestRefused(t *testing.T) {
	for text, want := range map[string]string{
		"libbpf: prog 'sys_exit': -- BEGIN PROG LOAD LOG --\n0: (bf) r6 = r1\nR2 unbounded memory access\nprocessed 7 insns (limit 1000000)\n-- END PROG LOAD LOG --\n": "sys_exit: R2 unbounded memory access",
		"libbpf: prog 'a': -- BEGIN PROG LOAD LOG --\n\n-- END PROG LOAD LOG --\n":                                                                                      "a: ",
		"libbpf: loading object": "",
	} {
		if got := refused(text); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}
