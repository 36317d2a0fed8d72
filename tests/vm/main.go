// Command vm runs the tests that depend on the kernel under every kernel of a
// matrix: in virtual machines with Debian's kernels, and on the live one. It is run
// from the top of the repository, by make test-vm, and needs bin/ipcwarden and what
// scripts/deps.sh vm installs.
//
// In the machines the same program is /init, as nothing else needs to be there.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime"
	"syscall"
	"time"
)

// options are the flags.
type options struct {
	kernels, hooks, run, image       string
	short, list, verbose, json, save bool
	limit, silence                   time.Duration
	parallel                         int
	work                             string
}

func parseOptions(arguments []string, complaints io.Writer) (o options, err error) {
	f := flag.NewFlagSet("vm", flag.ContinueOnError)
	f.SetOutput(complaints)
	f.StringVar(&o.kernels, "kernel", "", "run only these `kernels`, separated by commas")
	f.StringVar(&o.hooks, "hook", "", "run with these `hooks` only, separated by commas")
	f.StringVar(&o.run, "run", "", "run only the tests that match this `regexp`")
	f.BoolVar(&o.short, "short", false, "leave out what takes long")
	f.BoolVar(&o.list, "list", false, "list the kernels and what is fetched of them")
	f.BoolVar(&o.verbose, "v", false, "print every test")
	f.BoolVar(&o.json, "json", false, "print the table as JSON")
	f.BoolVar(&o.save, "verifier-counts", false, "write what the verifiers counted to "+verifierFile)
	f.StringVar(&o.image, "image", "", "boot this `file` in place of Debian's kernels")
	f.DurationVar(&o.limit, "limit", time.Hour, "give up on a kernel after this `time`")
	f.DurationVar(&o.silence, "silence", 5*time.Minute, "give up on a kernel that prints nothing for this `time`")
	f.IntVar(&o.parallel, "parallel", min(runtime.NumCPU(), 2), "run this `number` of machines at the same time")
	f.StringVar(&o.work, "work", "build/vm", "keep kernels, logs and streams in this `directory`")
	if err := f.Parse(arguments); err != nil {
		return o, err
	}
	if f.NArg() > 0 {
		return o, fmt.Errorf("what is %q? There are only flags: see -help", f.Arg(0))
	}
	if o.parallel < 1 {
		return o, errors.New("-parallel must be at least 1")
	}
	return o, nil
}

func main() {
	if os.Getpid() == 1 && os.Args[0] == "/init" {
		firstProcess()
	}
	if len(os.Args) == 2 && os.Args[1] == guestArgument {
		if err := guest(); err != nil {
			fmt.Println("vm:", err)
			os.Exit(1)
		}
		return
	}
	ctx, cancel := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	green, err := host(ctx, os.Args[1:])
	cancel()
	switch {
	case errors.Is(err, flag.ErrHelp):
	case err != nil:
		fmt.Fprintln(os.Stderr, "vm:", err)
		os.Exit(2)
	case !green:
		os.Exit(1)
	}
}

// host runs what the flags ask for and says whether everything is as it should be.
func host(ctx context.Context, arguments []string) (green bool, err error) {
	o, err := parseOptions(arguments, os.Stderr)
	if err != nil {
		return false, err
	}
	kernels, err := selectKernels(o.kernels, o.image)
	if err != nil {
		return false, err
	}
	if o.list {
		return true, listKernels(os.Stdout, o.work)
	}
	results, err := newRunner(o).all(ctx, kernels)
	if err != nil {
		return false, err
	}
	old, err := readCounts(verifierFile)
	if err != nil {
		return false, fmt.Errorf("reading %s: %w", verifierFile, err)
	}
	merged := mergeCounts(old, results)
	t := newTable(results, countChanges(old, merged))
	if o.save {
		if err := os.WriteFile(verifierFile, formatCounts(merged), 0o644); err != nil {
			return false, err
		}
	}
	write := t.write
	if o.json {
		write = t.writeJSON
	}
	return t.Green, write(os.Stdout)
}
