package e2e

import (
	"io"
	"os"
	"os/exec"
	"testing"
)

// pipe makes *end the writing end of a pipe whose reading end it returns. Other
// than with StdoutPipe, what was written can be read after Wait.
func pipe(t *testing.T, end *io.Writer) io.Reader {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	*end = w
	t.Cleanup(func() { r.Close() })
	return r
}

// closeChildEnds closes the writing ends that a started process has inherited.
func closeChildEnds(cmd *exec.Cmd) {
	for _, end := range []io.Writer{cmd.Stdout, cmd.Stderr} {
		if f, ok := end.(*os.File); ok {
			f.Close()
		}
	}
}
