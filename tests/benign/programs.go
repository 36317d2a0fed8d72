package main

import (
	"embed"
	"errors"
	"os/exec"
	"path/filepath"
)

// The interpreters of the distribution, for which its modules are.
const (
	perlProgram   = "/usr/bin/perl"
	pythonProgram = "/usr/bin/python3"
)

//go:embed scripts
var scripts embed.FS

// package files, for dpkg-buildpackage.
var source = map[string]string{
	"debian/changelog": `benign (1.0) unstable; urgency=low

  * Built to see what fakeroot does.

 -- Nobody <nobody@localhost>  Thu, 01 Jan 2026 00:00:00 +0000
`,
	"debian/control": `Source: benign
Maintainer: Nobody <nobody@localhost>
Standards-Version: 4.6.2
Rules-Requires-Root: binary-targets

Package: benign
Architecture: all
Description: package that nobody needs
 It has some files, of root and of others.
`,
	"debian/rules": `#!/usr/bin/make -f
d := debian/benign
clean:
	rm -rf debian/benign debian/files debian/benign.substvars
build build-arch build-indep:
binary-arch:
binary: binary-indep
binary-indep:
	install -d $d/DEBIAN $d/usr/share/benign $d/var/lib/benign
	for i in $$(seq 200); do echo $$i >$d/usr/share/benign/$$i; done
	chown -R root:root $d
	chown -R www-data:www-data $d/var/lib/benign
	chmod -R go=rX $d
	find $d -type f | xargs -P 4 -n 10 ls -l >/dev/null
	dpkg-gencontrol -pbenign -Pdebian/benign
	dpkg-deb --build $d ..
`,
}

// buildPackage builds a package as a user that is not root, who needs fakeroot for it.
func buildPackage(s *stage) error {
	const as = "nobody"
	if _, err := s.folder(as, "build/benign-1.0/debian"); err != nil {
		return err
	}
	for _, dir := range []string{"build", "build/benign-1.0"} {
		if err := s.give(as, filepath.Join(s.dir, dir)); err != nil {
			return err
		}
	}
	for name, text := range source {
		if _, err := s.write(as, filepath.Join("build/benign-1.0", name), text, 0o755); err != nil {
			return err
		}
	}
	return s.run(as, "sh", "-c", "cd build/benign-1.0 && dpkg-buildpackage -rfakeroot -us -uc -b -d")
}

// stress has processes wake each other by semaphores.
func stress(s *stage) error {
	return s.stress("--switch", "1", "--switch-method", "sem-sysv", "--switch-freq", "2000", "--timeout", "3")
}

// stressAll does what attackers do, on purpose: it peeks with MSG_COPY, maps over what
// is there, gives sets away.
func stressAll(s *stage) error {
	for _, args := range [][]string{
		{"--msg", "1", "--msg-ops", "5000"},
		{"--sem-sysv", "1", "--sem-sysv-ops", "5000"},
		{"--shm-sysv", "2", "--shm-sysv-ops", "300"},
	} {
		if err := s.stress(args...); err != nil {
			return err
		}
	}
	return nil
}

// untrustworthyMetrics is how stress-ng ends when it killed a worker while that counted
// its rounds, see stress-ng(1); its work is done.
const untrustworthyMetrics = 7

// stress runs stress-ng as a user that is not root, not as fast as it can: ipcwarden
// says what it loses then, and of that its silence would prove nothing.
func (s *stage) stress(args ...string) error {
	const as = "nobody"
	dir, err := s.folder(as, "stress")
	if err != nil {
		return err
	}
	err = s.run(as, "nice", append([]string{"-n", "19", "stress-ng", "--temp-path", dir}, args...)...)
	var exit *exec.ExitError
	if errors.As(err, &exit) && exit.ExitCode() == untrustworthyMetrics {
		return nil
	}
	return err
}

const toolsScript = `set -e
make() { ipcmk "$@" | sed 's/.*: //'; }
q=$(make -Q) m=$(make -M 65536 -p 0640) s=$(make -S 4)
ipcs; ipcs -a; ipcs -l; ipcs -u; ipcs -p
ipcs -q -i $q; ipcs -m -i $m; ipcs -s -i $s
ipcrm -q $q -m $m -s $s
for i in 1 2 3 4 5 6 7 8; do make -Q >/dev/null; make -M 4096 >/dev/null; done
ipcrm --all
test $(ipcs -q | grep -c '^0x') = 0
`

// tools has everybody clean up what is theirs, and root look at it.
func tools(s *stage) error {
	for _, as := range []string{"nobody", "root"} {
		if err := s.run(as, "sh", "-c", toolsScript); err != nil {
			return err
		}
	}
	if err := s.run("nobody", "ipcmk", "-Q"); err != nil {
		return err
	}
	return s.run("root", "ipcs", "-a")
}

func perl(s *stage) error      { return s.script(perlProgram, "ipc.pl") }
func perlShare(s *stage) error { return s.script(perlProgram, "share.pl") }
func python(s *stage) error    { return s.script(pythonProgram, "ipc.py") }

// script runs a script of ours as a user that is not root.
func (s *stage) script(interpreter, name string) error {
	text, err := scripts.ReadFile("scripts/" + name)
	if err != nil {
		return err
	}
	file, err := s.write("nobody", name, string(text), 0o644)
	if err != nil {
		return err
	}
	return s.run("nobody", interpreter, file)
}
