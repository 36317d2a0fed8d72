package nearest

import "testing"

func TestNearest(t *testing.T) {
	names := []string{"msgget", "msgsnd", "msgrcv", "semtimedop"}
	for _, test := range []struct{ misspelt, name, guess string }{
		{"msgsn", "msgsnd", "msgsnd"},
		{"MSGRCV", "msgget", "msgrcv"},
		{"semt", "msgget", "semtimedop"},
		{"quite another", "msgget", ""},
		{"", "msgget", ""},
	} {
		if got := Name(test.misspelt, names); got != test.name {
			t.Errorf("Name(%q) = %q, want %q", test.misspelt, got, test.name)
		}
		if got := Guess(test.misspelt, names); got != test.guess {
			t.Errorf("Guess(%q) = %q, want %q", test.misspelt, got, test.guess)
		}
	}
	if got := Name("x", nil); got != "" {
		t.Errorf("Name of none is %q", got)
	}
}
