package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"
)

// runner runs the kernels of one invocation.
type runner struct {
	options
	mutex sync.Mutex // of standard error
}

func newRunner(o options) *runner { return &runner{options: o} }

// progress prints one line to standard error; the table goes to standard output.
func (r *runner) progress(format string, arguments ...any) {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	fmt.Fprintf(os.Stderr, time.Now().Format(time.TimeOnly)+" "+format+"\n", arguments...)
}

func (r *runner) initramfs() string { return filepath.Join(r.work, "initramfs.gz") }

// job is a kernel and what to run under it.
type job struct {
	kernel kernel
	order  order
	image  string
	result *result
}

// all runs everything and returns the results in the order of the matrix.
func (r *runner) all(ctx context.Context, kernels []kernel) (results []*result, err error) {
	jobs, err := r.jobs(ctx, kernels)
	if err != nil {
		return nil, err
	}
	for i := range jobs {
		if err := r.fetch(ctx, &jobs[i]); err != nil {
			return nil, err
		}
	}
	r.progress("building the tests")
	if err := build(ctx, r.work); err != nil {
		return nil, fmt.Errorf("building the tests: %w", err)
	}
	if err := writeInitramfs(r.work, r.initramfs()); err != nil {
		return nil, err
	}
	// Tests on this machine look at times: nothing else runs meanwhile.
	for _, j := range jobs {
		if j.kernel.live {
			r.run(ctx, j)
		}
	}
	var group sync.WaitGroup
	slots := make(chan struct{}, r.parallel)
	for _, j := range jobs {
		if !j.kernel.live {
			slots <- struct{}{}
			group.Go(func() {
				r.run(ctx, j)
				<-slots
			})
		}
	}
	group.Wait()
	for _, j := range jobs {
		results = append(results, j.result)
	}
	return results, r.saveStreams(results)
}

// jobs decides what is to be run under which kernel.
func (r *runner) jobs(ctx context.Context, kernels []kernel) (jobs []job, err error) {
	for _, k := range kernels {
		hooks := k.hooks
		if k.live {
			if os.Geteuid() != 0 {
				return nil, errors.New("the kernel host needs root: run as root, or name others with -kernel")
			}
			if hooks, err = attachable(ctx); err != nil {
				return nil, err
			}
		}
		if hooks, err = selectHooks(hooks, r.hooks); err != nil {
			return nil, err
		}
		if len(hooks) == 0 {
			r.progress("%s: has none of the hooks %s", k.name, r.hooks)
			continue
		}
		o := order{Hooks: hooks, Binaries: binaryNames(), Run: r.options.run, Short: r.short, Limit: r.limit}
		jobs = append(jobs, job{kernel: k, order: o, result: newResult(k, hooks, r.progress, r.verbose)})
	}
	if len(jobs) == 0 {
		return nil, errors.New("nothing to run")
	}
	return jobs, nil
}

// attachable asks the doctor what attaches on this machine. A tracepoint always
// must.
func attachable(ctx context.Context) ([]string, error) {
	r := document(ctx, recordDoctor, ipcwardenBinary, "doctor", "--output", "json")
	if r.Error != "" {
		return nil, fmt.Errorf("asking the doctor: %s", r.Error)
	}
	return attachableHooks(r.Document)
}

func attachableHooks(document []byte) (hooks []string, err error) {
	var d struct {
		Checks []struct{ Name, Status, Found string }
	}
	if err := json.Unmarshal(document, &d); err != nil {
		return nil, fmt.Errorf("reading what the doctor says: %w", err)
	}
	for _, hook := range allHooks {
		attached := hook == "tracepoint"
		for _, c := range d.Checks {
			attached = attached || (c.Name == "hook "+hook && c.Status == "ok" && strings.HasPrefix(c.Found, "attached"))
		}
		if attached {
			hooks = append(hooks, hook)
		}
	}
	return hooks, nil
}

func (r *runner) fetch(ctx context.Context, j *job) (err error) {
	switch {
	case j.kernel.live:
	case j.kernel.image != "":
		j.image = j.kernel.image
		_, err = os.Stat(j.image)
	default:
		j.image, err = fetchKernel(ctx, j.kernel, filepath.Join(r.work, "kernels", j.kernel.name), r.progress)
	}
	if err != nil {
		return fmt.Errorf("kernel %s: %w", j.kernel.name, err)
	}
	return nil
}

// run fills in the result of one kernel.
func (r *runner) run(ctx context.Context, j job) {
	start := time.Now()
	log, err := os.Create(filepath.Join(r.work, j.kernel.name+".log"))
	if err != nil {
		j.result.problem("%v", err)
		return
	}
	defer log.Close()
	if err := ctx.Err(); err != nil {
		j.result.problem("not run: %v", err)
		return
	}
	if j.kernel.live {
		err = r.live(ctx, j, log)
	} else {
		err = r.boot(ctx, j, log)
	}
	j.result.Seconds = time.Since(start).Seconds()
	if err != nil {
		j.result.problem("%v; all of it is in %s", err, log.Name())
	}
}

func (r *runner) boot(ctx context.Context, j job, log io.Writer) error {
	m := machine{image: j.image, initramfs: r.initramfs(), order: j.order, limit: r.limit, silence: r.silence, log: log}
	tail, err := m.boot(ctx, j.result.receive)
	if err != nil && ctx.Err() == nil {
		r.progress("%s: the machine said last:\n%s", j.kernel.name, indent(tail))
	}
	return err
}

func (r *runner) live(ctx context.Context, j job, log io.Writer) error {
	p, err := hostPlace(r.work)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeoutCause(ctx, r.limit, fmt.Errorf("not done after %v", r.limit))
	defer cancel()
	watch := watcher{log: log, receive: j.result.receive}
	runSuite(ctx, j.order, p, watch.record)
	return context.Cause(ctx)
}

// saveStreams keeps the streams of this run, and none of another.
func (r *runner) saveStreams(results []*result) error {
	dir := filepath.Join(r.work, "streams")
	if err := os.RemoveAll(dir); err != nil {
		return err
	}
	for _, result := range results {
		for _, s := range result.streams {
			if err := s.save(dir); err != nil {
				return fmt.Errorf("keeping a stream: %w", err)
			}
		}
	}
	return nil
}

// listKernels prints the matrix.
func listKernels(w io.Writer, work string) error {
	for _, k := range matrix {
		where := "this machine"
		if !k.live {
			where = "not fetched yet, from " + strings.Join(k.suites, ", ")
			if b, err := os.ReadFile(filepath.Join(work, "kernels", k.name, "package")); err == nil {
				where = strings.TrimSpace(string(b))
			}
		}
		hooks := slices.Clone(k.hooks)
		if k.live {
			hooks = []string{"what attaches"}
		}
		if _, err := fmt.Fprintf(w, "%-5s %-34s %s\n", k.name, strings.Join(hooks, ", "), where); err != nil {
			return err
		}
	}
	return nil
}
