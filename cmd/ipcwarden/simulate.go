package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/ipcwarden/ipcwarden/pkg/detect"
	"github.com/ipcwarden/ipcwarden/pkg/regosig"
	"github.com/ipcwarden/ipcwarden/pkg/simulate"
	"github.com/ipcwarden/ipcwarden/signatures"
)

const simulateLong = `Do what the built-in signatures find, for real, so that you see that the running
ipcwarden does find it. It is harmless: each scenario is played by a process of its
own, in an IPC namespace of its own, with which everything goes that it has made,
also when it is killed. Takes root.

What can be done by 32-bit calls as well is done once more through ipc(2), by int
0x80 from 64-bit code. What this machine cannot do is skipped, with the reason.

The exit code is 1 if a scenario failed, and 2 if none could be performed.`

const simulateExample = `  ipcwarden simulate --list
  ipcwarden simulate IPCW-001 IPCW-015
  ipcwarden simulate --all --output json`

func newSimulateCommand() *cobra.Command {
	var (
		list, all bool
		output    string
	)
	cmd := &cobra.Command{
		Use:     "simulate [ID...]",
		Short:   "Do what signatures find, harmlessly, to see that it is found",
		Long:    simulateLong,
		Example: simulateExample,
		GroupID: groupWatch,
		ValidArgsFunction: func(_ *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
			return completeScenario(args), cobra.ShellCompDirectiveNoFileComp
		},
		RunE: func(cmd *cobra.Command, ids []string) error {
			asJSON, err := parseOutput(output)
			if err != nil {
				return err
			}
			scenarios, err := selectScenarios(ids, all || list)
			if err != nil {
				return err
			}
			if list {
				return listScenarios(cmd.OutOrStdout(), scenarios, asJSON)
			}
			ctx, stop := untilSignal(cmd.Context())
			defer stop()
			return performAll(ctx, cmd.OutOrStdout(), scenarios, asJSON)
		},
	}
	answers(cmd)
	flags := cmd.Flags()
	flags.BoolVar(&list, "list", false, "say what would be done, and do nothing")
	flags.BoolVar(&all, "all", false, "do all there is")
	cmd.MarkFlagsMutuallyExclusive("list", "all")
	flags.StringVarP(&output, "output", "o", "table", "`format`: table or json")
	completeOutput(cmd)
	return cmd
}

// selectScenarios finds the scenarios that are named, or all.
func selectScenarios(ids []string, all bool) ([]*simulate.Scenario, error) {
	switch {
	case all && len(ids) > 0:
		return nil, errors.New("--all and --list take no ids")
	case all:
		return simulate.All(), nil
	case len(ids) == 0:
		return nil, errors.New("name the signatures to simulate, or --all; --list lists them")
	}
	scenarios := make([]*simulate.Scenario, len(ids))
	for i, id := range ids {
		if scenarios[i] = simulate.Find(id); scenarios[i] == nil {
			return nil, fmt.Errorf("no scenario for signature %q%s; ipcwarden simulate --list lists all", id, didYouMean(id, "", scenarioIDs()))
		}
	}
	return scenarios, nil
}

func scenarioIDs() (ids []string) {
	for _, s := range simulate.All() {
		ids = append(ids, s.ID)
	}
	return ids
}

func completeScenario(taken []string) (ids []cobra.Completion) {
	for _, s := range simulate.All() {
		if !slices.Contains(taken, s.ID) {
			ids = append(ids, cobra.CompletionWithDesc(s.ID, s.Does))
		}
	}
	return ids
}

// listedScenario is a scenario as --list --output json writes it.
type listedScenario struct {
	ID       string          `json:"id"`
	Title    string          `json:"title"`
	Severity detect.Severity `json:"severity"`
	Does     string          `json:"does"`
	Ways     []simulate.Way  `json:"ways"`
}

func listScenarios(out io.Writer, scenarios []*simulate.Scenario, asJSON bool) error {
	builtin, err := regosig.Load(regosig.Builtin())
	if err != nil {
		return err
	}
	all, err := signatures.AddTo(builtin.Signatures())
	if err != nil {
		return err
	}
	list := make([]listedScenario, len(scenarios))
	for i, s := range scenarios {
		list[i] = listedScenario{ID: s.ID, Does: s.Does, Ways: s.Ways}
		for _, signature := range all {
			if md := signature.Metadata(); md.ID == s.ID {
				list[i].Title, list[i].Severity = md.Title, md.Severity
			}
		}
	}
	if asJSON {
		return writeJSON(out, list)
	}
	p := newPage(out)
	for _, s := range list {
		p.line("%s  %-8s  %s\n%20s%s", s.ID, s.Severity, p.paint(bold, s.Title), "", s.Does+by(s.Ways))
	}
	return p.writeTo(out)
}

// by says by which ways something is done, unless it is all of them.
func by(ways []simulate.Way) string {
	if len(ways) != 1 {
		return ""
	}
	return fmt.Sprintf(" (%s only)", ways[0])
}

// performAll performs scenarios by all their ways, and says what became of each.
func performAll(ctx context.Context, out io.Writer, scenarios []*simulate.Scenario, asJSON bool) error {
	self, err := os.Executable()
	if err != nil {
		return fmt.Errorf("find the program to act: %w", err)
	}
	stage := &simulate.Stage{Command: []string{self, actCommand}}
	defer stage.Close()
	performances := []simulate.Performance{}
	failed := 0
	for _, s := range scenarios {
		for _, way := range s.Ways {
			p, err := stage.Perform(ctx, s, way)
			if err != nil {
				return err
			}
			if performances = append(performances, p); p.Outcome == simulate.Failed {
				failed++
			}
			if asJSON {
				continue
			}
			if err := printPerformance(out, s, &p); err != nil {
				return err
			}
		}
	}
	if asJSON {
		if err := writeJSON(out, performances); err != nil {
			return err
		}
	}
	if failed > 0 {
		return &negative{fmt.Sprintf("%d of %d scenarios failed", failed, len(performances))}
	}
	return nil
}

func printPerformance(out io.Writer, s *simulate.Scenario, performed *simulate.Performance) error {
	p := newPage(out)
	color, text := green, s.Does
	if performed.Outcome != simulate.Done {
		color, text = faint, performed.Reason
	}
	if performed.Outcome == simulate.Failed {
		color = red
	}
	p.line("%s  %-6s  %s  %s", s.ID, performed.Way, p.paint(color, fmt.Sprintf("%-7s", strings.ToUpper(string(performed.Outcome)))), escaped(text))
	return p.writeTo(out)
}
