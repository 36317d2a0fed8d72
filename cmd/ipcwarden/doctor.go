package main

import (
	"errors"
	"fmt"
	"io"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/ipcwarden/ipcwarden/pkg/doctor"
)

func newDoctorCommand() *cobra.Command {
	var (
		output   string
		programs bool
	)
	cmd := &cobra.Command{
		Use:   "doctor",
		Short: "Say what this kernel and these privileges allow",
		Long: `Look at the kernel and at the privileges, attach the probe for real and detach it
again, and say what would be used and why, and what to do about each thing that
is missing. The exit code is 1 if ipcwarden could not run here.

With --programs, load the BPF programs of every hook that attaches here, and say
how many instructions the verifier went through for each: it gives up at a million.`,
		Args:    cobra.NoArgs,
		GroupID: groupReference,
		RunE: func(cmd *cobra.Command, _ []string) error {
			asJSON, err := parseOutput(output)
			if err != nil {
				return err
			}
			if programs {
				return listPrograms(cmd.OutOrStdout(), asJSON)
			}
			report := doctor.Examine()
			if asJSON {
				err = writeJSON(cmd.OutOrStdout(), report)
			} else {
				err = printReport(cmd.OutOrStdout(), report)
			}
			if err == nil && !report.Usable {
				err = errors.New("ipcwarden cannot watch this host: " + report.Why)
			}
			return err
		},
	}
	cmd.Flags().StringVarP(&output, "output", "o", "table", "`format`: table or json")
	cmd.Flags().BoolVar(&programs, "programs", false, "list the BPF programs and what they cost the verifier")
	completeOutput(cmd)
	return cmd
}

func listPrograms(out io.Writer, asJSON bool) error {
	report := doctor.Programs()
	if len(report.Programs) == 0 {
		return errors.New("no hook attaches here; see ipcwarden doctor")
	}
	if asJSON {
		return writeJSON(out, report)
	}
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "HOOK\tPROGRAM\tINSTRUCTIONS")
	for _, p := range report.Programs {
		fmt.Fprintf(w, "%s\t%s\t%d\n", p.Hook, p.Name, p.Instructions)
	}
	return w.Flush()
}

func printReport(out io.Writer, report *doctor.Report) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	for _, check := range report.Checks {
		fmt.Fprintf(w, "%s\t%s\t%s\n", check.Status, check.Name, check.Found)
		if check.Effect != "" {
			fmt.Fprintf(w, "\t\teffect: %s\n", check.Effect)
		}
		if check.Remedy != "" {
			fmt.Fprintf(w, "\t\tremedy: %s\n", check.Remedy)
		}
	}
	if report.Usable {
		fmt.Fprintf(w, "\nuses hook %s: %s\n", report.Hook, report.Why)
	}
	return w.Flush()
}
