package probe

import (
	"errors"
	"fmt"
	"sync"
)

// works attaches one small program by a hook and detaches it again.
func (p *Probe) works(hook Hook) error {
	one := []*program{{name: "fentry_permission", way: byTrampoline, function: "ipcperms"}}
	if hook == Kprobe {
		one = []*program{{name: "kprobe_permission", way: atKprobe, function: "ipcperms"}}
	}
	return trials.of(hook, func() (err error) {
		trial := &Probe{log: p.log}
		defer func() { err = errors.Join(err, trial.release()) }()
		if trial.module, err = newModule(p.log, nil, func(string) {}); err != nil {
			return err
		}
		for name, entries := range map[string]uint32{"threads": 1, "large_records": 1, "spaces": 1, "messages": 1, "records": 1 << 16} {
			m, err := trial.module.GetMap(name)
			if err != nil {
				return fmt.Errorf("find BPF map %s: %w", name, err)
			}
			if err := m.SetMaxEntries(entries); err != nil {
				return fmt.Errorf("shrink BPF map %s: %w", name, err)
			}
		}
		if err := choose(trial.module, one); err != nil {
			return err
		}
		if err := trial.module.BPFLoadObject(); err != nil {
			return fmt.Errorf("load a BPF program: %w", err)
		}
		return trial.attachOne(one[0], 0)
	})
}

// trials remembers how hooks worked: the kernel does not change.
var trials trialResults

type trialResults struct {
	sync.Mutex
	errs map[Hook]error
}

func (t *trialResults) of(hook Hook, try func() error) error {
	t.Lock()
	defer t.Unlock()
	err, tried := t.errs[hook]
	if !tried {
		if t.errs == nil {
			t.errs = map[Hook]error{}
		}
		err = try()
		t.errs[hook] = err
	}
	return err
}
