package main

import (
	"fmt"
	"io"

	"github.com/ipcwarden/ipcwarden/pkg/format"
	"github.com/spf13/cobra"
)

// parseOutput reads the flag --output.
func parseOutput(output string) (asJSON bool, err error) {
	switch output {
	case "json":
		return true, nil
	case "table":
		return false, nil
	default:
		return false, fmt.Errorf("--output: %q is neither table nor json", output)
	}
}

func completeOutput(cmd *cobra.Command) {
	values := cobra.FixedCompletions([]string{"table", "json"}, cobra.ShellCompDirectiveNoFileComp)
	if err := cmd.RegisterFlagCompletionFunc("output", values); err != nil {
		panic(err) // the flag does not exist: a mistake in this package
	}
}

// counted is a number with what it counts: one problem, or n problems.
func counted[N int | uint64](n N, one, more string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, more)
}

// writeJSON writes v indented, for machines and for whoever looks at it.
func writeJSON(out io.Writer, v any) error {
	encoder := format.NewJSONEncoder(out)
	encoder.SetIndent("", "  ")
	return encoder.Encode(v)
}
