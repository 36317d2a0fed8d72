package main

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

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

With --verify, the running ipcwarden is asked for its alerts by its API socket, and a
table says which of those that were expected it has seen.

The exit code is 1 if a scenario failed or an alert is missing, and 2 if nothing could
be performed or nobody could be asked.`

const simulateExample = `  ipcwarden simulate --list
  ipcwarden simulate IPCW-001 IPCW-015
  ipcwarden simulate --all --verify
  ipcwarden simulate --all --verify --output json | jq '.[] | select(.expected and (.seen | not))'`

func newSimulateCommand() *cobra.Command {
	var (
		list, all, verify bool
		timeout           time.Duration
		output, socket    string
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
			builtin, err := builtinMetadata()
			if err != nil {
				return err
			}
			if list {
				return listScenarios(cmd.OutOrStdout(), scenarios, builtin, asJSON)
			}
			ctx, stop := untilSignal(cmd.Context())
			defer stop()
			show := &show{out: cmd.OutOrStdout(), builtin: builtin, asJSON: asJSON, timeout: timeout}
			if verify {
				client := newAPIClient(socket)
				defer client.Close()
				if show.seen, err = follow(ctx, client); err != nil {
					return err
				}
				if show.enabled, err = enabledIn(ctx, client); err != nil {
					return err
				}
			}
			return show.run(ctx, scenarios)
		},
	}
	answers(cmd)
	flags := cmd.Flags()
	flags.BoolVar(&list, "list", false, "say what would be done, and do nothing")
	flags.BoolVar(&all, "all", false, "do all there is")
	flags.BoolVar(&verify, "verify", false, "wait for the alerts of the running ipcwarden, and say which are missing")
	flags.DurationVar(&timeout, "timeout", 10*time.Second, "how `long` the running ipcwarden has for its alerts, with --verify")
	flagAPI(cmd, &socket)
	cmd.MarkFlagsMutuallyExclusive("list", "all")
	cmd.MarkFlagsMutuallyExclusive("list", "verify")
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
	Off      bool            `json:"offByDefault,omitempty"`
	Does     string          `json:"does"`
	Ways     []simulate.Way  `json:"ways"`
}

// builtinMetadata is what the built-in signatures say of themselves, by their ids.
func builtinMetadata() (map[string]*detect.Metadata, error) {
	inRego, err := regosig.Load(regosig.Builtin())
	if err != nil {
		return nil, err
	}
	all, err := signatures.AddTo(inRego.Signatures())
	if err != nil {
		return nil, err
	}
	byID := make(map[string]*detect.Metadata, len(all))
	for _, s := range all {
		byID[s.Metadata().ID] = s.Metadata()
	}
	return byID, nil
}

func listScenarios(out io.Writer, scenarios []*simulate.Scenario, builtin map[string]*detect.Metadata, asJSON bool) error {
	list := make([]listedScenario, len(scenarios))
	for i, s := range scenarios {
		md := builtin[s.ID]
		list[i] = listedScenario{ID: s.ID, Title: md.Title, Severity: md.Severity, Off: md.Off, Does: s.Does, Ways: s.Ways}
	}
	if asJSON {
		return writeJSON(out, list)
	}
	p := newPage(out)
	for _, s := range list {
		off := ""
		if s.Off {
			off = offNote
		}
		p.line("%s  %-8s  %s%s\n%20s%s", s.ID, s.Severity, p.paint(bold, s.Title), off, "", s.Does+by(s.Ways))
	}
	return p.writeTo(out)
}

// offNote is said of a signature that nobody looks for unless it is asked for.
const offNote = " (off by default)"

// by says by which ways something is done, unless it is all of them.
func by(ways []simulate.Way) string {
	if len(ways) != 1 {
		return ""
	}
	return fmt.Sprintf(" (%s only)", ways[0])
}
