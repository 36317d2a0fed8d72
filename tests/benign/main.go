// Command benign does with System V IPC what hosts do all day, and wants ipcwarden, as
// it is without any configuration, to stay quiet: no alert of severity medium or
// higher. It prints a table of the alerts that there were. It is run from the top of
// the repository, by make test-benign, as root, and needs bin/ipcwarden; a workload
// whose programs are not installed is skipped (scripts/deps.sh benign installs them).
//
// Each workload has an IPC namespace of its own, by which its alerts are told from
// those of everything else on the host.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"regexp"
	"syscall"
)

// options are the flags.
type options struct {
	run    *regexp.Regexp
	binary string
	logs   string
}

// playArgument has the program play one workload, in the namespace that it is in.
const playArgument = "play"

func main() {
	ctx, cancel := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	quiet, err := run(ctx, os.Args[1:], os.Stdout)
	cancel()
	switch {
	case errors.Is(err, flag.ErrHelp):
	case err != nil:
		fmt.Fprintln(os.Stderr, "benign:", err)
		os.Exit(2)
	case !quiet:
		os.Exit(1)
	}
}

// run tells whether all workloads that were played went well and stayed quiet.
func run(ctx context.Context, arguments []string, out io.Writer) (quiet bool, err error) {
	if len(arguments) == 2 && arguments[0] == playArgument {
		return true, playHere(ctx, arguments[1])
	}
	o, err := parseOptions(arguments)
	if err != nil {
		return false, err
	}
	if os.Geteuid() != 0 {
		return false, errors.New("watching the kernel, and being other users, takes root")
	}
	if err := os.MkdirAll(o.logs, 0o755); err != nil {
		return false, err
	}
	results, missed, err := playAll(ctx, o)
	if err != nil {
		return false, err
	}
	return printTable(out, results, missed)
}

func parseOptions(arguments []string) (o options, err error) {
	f := flag.NewFlagSet("benign", flag.ContinueOnError)
	only := f.String("run", "", "play only workloads whose name matches this `regexp`")
	f.StringVar(&o.binary, "ipcwarden", "bin/ipcwarden", "test this `program`")
	f.StringVar(&o.logs, "logs", "build/benign", "keep what the programs print in this `directory`")
	if err := f.Parse(arguments); err != nil {
		return o, err
	}
	if f.NArg() > 0 {
		return o, fmt.Errorf("what is %q? There are only flags: see -help", f.Arg(0))
	}
	o.run, err = regexp.Compile(*only)
	return o, err
}

// playAll plays all workloads, one after the other, while ipcwarden watches.
func playAll(ctx context.Context, o options) (results []*result, missed []gap, err error) {
	w, err := watch(ctx, o)
	if err != nil {
		return nil, nil, err
	}
	defer w.kill()
	for i := range workloads {
		if !o.run.MatchString(workloads[i].name) {
			continue
		}
		r, err := play(ctx, &workloads[i], o.logs)
		if err != nil {
			return nil, nil, err
		}
		defer r.close()
		results = append(results, r)
	}
	if len(results) == 0 {
		return nil, nil, errors.New("no workload has such a name")
	}
	missed, err = w.stop(results)
	return results, missed, err
}
