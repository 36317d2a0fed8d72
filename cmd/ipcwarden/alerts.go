package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/ipcwarden/ipcwarden/pkg/api"
	"github.com/ipcwarden/ipcwarden/pkg/config"
	"github.com/ipcwarden/ipcwarden/pkg/sink"
)

// flagAPI adds the flag for the socket of a running ipcwarden.
func flagAPI(cmd *cobra.Command, socket *string) {
	cmd.Flags().StringVar(socket, "api", "", "ask the ipcwarden that listens at the Unix socket `PATH` (default: api.socket of the configuration)")
}

// newAPIClient makes a client for the socket of the flag, or else of the
// configuration, which whoever asks may not be allowed to read.
func newAPIClient(socket string) *api.Client {
	if socket == "" {
		socket = config.DefaultSocket
		if loaded, err := config.Load(config.Sources{Env: os.Environ()}); err == nil && loaded.API.Socket != "" {
			socket = loaded.API.Socket
		}
	}
	return api.NewClient(socket)
}

func newAlertsCommand() *cobra.Command {
	var (
		socket, output string
		follow         bool
		last           int
	)
	cmd := &cobra.Command{
		Use:   "alerts",
		Short: "Print the last alerts of the running ipcwarden",
		Long: `Print the last alerts of the running ipcwarden, the oldest first, and with --follow
also those that come, until SIGINT or SIGTERM. ipcwarden run keeps as many as api.alerts
of its configuration says. It waits for nobody: if alerts come faster than they are
printed some are left out, and stderr says how many.`,
		Example: `  ipcwarden alerts --last 5
  ipcwarden alerts --follow --output json | jq .signature.id`,
		GroupID: groupWatch,
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			asJSON, err := parseOutput(output)
			if err != nil {
				return err
			}
			if last < 0 {
				return fmt.Errorf("--last: %d is no number of alerts", last)
			}
			ctx, stop := untilSignal(cmd.Context())
			defer stop()
			client := newAPIClient(socket)
			defer client.Close()
			show := alertPrinter(cmd, asJSON)
			if !follow {
				return client.Alerts(ctx, last, show)
			}
			err = client.Follow(ctx, last, nil, show)
			if errors.Is(err, io.EOF) {
				return errors.New("ipcwarden has ended")
			}
			return err
		},
	}
	flagAPI(cmd, &socket)
	cmd.Flags().BoolVarP(&follow, "follow", "f", false, "go on with the alerts that come")
	cmd.Flags().IntVarP(&last, "last", "n", 10, "begin with the last `N` alerts")
	cmd.Flags().StringVarP(&output, "output", "o", "table", "`format`: table or json")
	completeOutput(cmd)
	return cmd
}

// alertPrinter prints alerts as ipcwarden run does.
func alertPrinter(cmd *cobra.Command, asJSON bool) func(api.Entry) error {
	out := cmd.OutOrStdout()
	file, isFile := out.(*os.File)
	table := sink.NewTable(out, isFile && term.IsTerminal(int(file.Fd())) && os.Getenv("NO_COLOR") == "")
	return func(e api.Entry) error {
		switch {
		case e.Missed > 0:
			fmt.Fprintf(cmd.ErrOrStderr(), "ipcwarden: left out here, as they came too fast: %s\n", counted(e.Missed, "alert", "alerts"))
			return nil
		case asJSON:
			_, err := fmt.Fprintf(out, "%s\n", e.Raw)
			return err
		}
		return table.Deliver(e.Alert)
	}
}

// lastAlerts returns the last n alerts.
func lastAlerts(ctx context.Context, client *api.Client, n int) (list []api.Entry, err error) {
	err = client.Alerts(ctx, n, func(e api.Entry) error {
		list = append(list, e)
		return nil
	})
	return list, err
}
