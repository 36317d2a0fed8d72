// Command ipcwarden watches System V IPC and raises an alert when a process uses
// it the way an attacker would.
package main

import (
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"
)

func main() {
	os.Exit(execute(os.Args[1:], os.Stdout, os.Stderr))
}

// execute runs the command line and returns the exit code: 0, or 1 after it has
// written why to stderr, in one line. Commands that answer yes or no say no with
// 1, and that there is no answer with 2.
func execute(args []string, stdout, stderr io.Writer) int {
	root := newRootCommand(stdout, stderr)
	root.SetArgs(args)
	cmd, err := root.ExecuteC()
	if err == nil {
		return 0
	}
	var no *negative
	answered := errors.As(err, &no)
	if text := err.Error(); text != "" {
		fmt.Fprintf(stderr, "ipcwarden: %s\n", text)
	}
	if !answered && cmd.Annotations[answersAnnotation] != "" {
		return 2
	}
	return 1
}

// answersAnnotation marks a command that answers yes or no.
const answersAnnotation = "answers"

// answers marks cmd as a command that answers yes or no: with no error or a
// negative one. Any other error means that there is no answer.
func answers(cmd *cobra.Command) { cmd.Annotations = map[string]string{answersAnnotation: "yes or no"} }

// negative is the answer no. Its text goes to stderr, unless it is empty.
type negative struct{ text string }

func (n *negative) Error() string { return n.text }
