// Command benign does with System V IPC what hosts do all day, and wants ipcwarden, as
// it is without any configuration, to stay quiet: no alert of severity medium or
// higher. It prints tables of the alerts that there were, and of what was suppressed by
// the profiles of those workloads that need one. It is run from the top of the
// repository, by make test-benign, as root, and needs bin/ipcwarden, and the programs
// that scripts/deps.sh benign installs: a workload that lacks one has not stayed quiet,
// unless -partial is given.
//
// Each workload has an IPC namespace of its own, by which its alerts are told from
// those of everything else on the host.
package main

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"regexp"
	"syscall"

	"github.com/ipcwarden/ipcwarden/pkg/status"
)

// options are the flags.
type options struct {
	run     *regexp.Regexp
	binary  string
	logs    string
	partial bool
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
	r, err := playAll(ctx, o)
	if err != nil {
		return false, err
	}
	return r.print(out, o.partial)
}

func parseOptions(arguments []string) (o options, err error) {
	f := flag.NewFlagSet("benign", flag.ContinueOnError)
	only := f.String("run", "", "play only workloads whose name matches this `regexp`")
	f.StringVar(&o.binary, "ipcwarden", "bin/ipcwarden", "test this `program`")
	f.BoolVar(&o.partial, "partial", false, "be content with the workloads whose programs are installed")
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

// report is what became of all that was played.
type report struct {
	results    []*result
	lost       []gap
	suppressed []status.Suppression
}

// playAll plays all workloads, one after the other, while ipcwarden watches: first those
// for which it needs no configuration.
func playAll(ctx context.Context, o options) (r report, err error) {
	for _, profile := range []string{os.DevNull, stressProfile} {
		if err := r.play(ctx, o, profile); err != nil {
			return r, err
		}
	}
	if len(r.results) == 0 {
		return r, errors.New("no workload has such a name")
	}
	return r, nil
}

// play plays the workloads of one profile.
func (r *report) play(ctx context.Context, o options, profile string) error {
	var chosen []*workload
	for i := range workloads {
		w := &workloads[i]
		if o.run.MatchString(w.name) && cmp.Or(w.profile, os.DevNull) == profile {
			chosen = append(chosen, w)
		}
	}
	if chosen == nil {
		return nil
	}
	watcher, err := watch(ctx, o, profile)
	if err != nil {
		return err
	}
	defer watcher.kill()
	var results []*result
	for _, w := range chosen {
		result, err := play(ctx, w, o.logs)
		if err != nil {
			return err
		}
		defer result.close()
		results = append(results, result)
	}
	lost, suppressed, err := watcher.stop(ctx, results)
	r.results = append(r.results, results...)
	r.lost, r.suppressed = append(r.lost, lost...), append(r.suppressed, suppressed...)
	return err
}
