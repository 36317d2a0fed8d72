// Command ipcwarden watches System V IPC and raises an alert when a process uses
// it the way an attacker would.
package main

import (
	"fmt"
	"io"
	"os"
)

func main() {
	os.Exit(execute(os.Args[1:], os.Stdout, os.Stderr))
}

// execute runs the command line and returns the exit code: 0, or 1 after it has
// written why to stderr, in one line.
func execute(args []string, stdout, stderr io.Writer) int {
	root := newRootCommand(stdout, stderr)
	root.SetArgs(args)
	if err := root.Execute(); err != nil {
		fmt.Fprintf(stderr, "ipcwarden: %v\n", err)
		return 1
	}
	return 0
}
