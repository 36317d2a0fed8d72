package main

import (
	"archive/tar"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
)

const debianKeyring = "/usr/share/keyrings/debian-archive-keyring.gpg"

// fetchKernel returns the file with a Debian kernel. It comes from the site that
// this machine takes Debian from, through lists of our own: the machine's apt
// configuration stays as it is. It is fetched once: remove dir to get a newer one.
func fetchKernel(ctx context.Context, k kernel, dir string, progress func(string, ...any)) (image string, err error) {
	if dir, err = filepath.Abs(dir); err != nil {
		return "", err
	}
	image = filepath.Join(dir, "vmlinuz")
	if _, err := os.Stat(image); err == nil {
		return image, nil
	}
	a := apt{dir: filepath.Join(dir, "apt")}
	defer func() { err = errors.Join(err, os.RemoveAll(a.dir)) }()
	if err := a.prepare(ctx, k.suites); err != nil {
		return "", err
	}
	progress("%s: asking for the kernel of %s", k.name, strings.Join(k.suites, ", "))
	updateErr := a.update(ctx)
	name, err := a.imagePackage(ctx)
	if err != nil {
		return "", errors.Join(err, updateErr)
	}
	progress("%s: fetching %s", k.name, name)
	deb, err := a.download(ctx, name)
	if err != nil {
		return "", err
	}
	if err := extractImage(ctx, deb, image+".new"); err != nil {
		return "", err
	}
	if err := os.WriteFile(filepath.Join(dir, "package"), []byte(filepath.Base(deb)+"\n"), 0o644); err != nil {
		return "", err
	}
	return image, os.Rename(image+".new", image)
}

// apt calls apt's tools on a state of their own.
type apt struct {
	dir     string
	options []string
}

func (a *apt) prepare(ctx context.Context, suites []string) error {
	targets, err := a.run(ctx, "apt-get", "indextargets", "--format", "$(ORIGIN) $(REPO_URI) $(CODENAME) $(COMPONENT) $(CREATED_BY)")
	if err != nil {
		return fmt.Errorf("asking apt for a Debian site: %w", err)
	}
	sources := sourceLines(targets, suites)
	if sources == "" {
		return errors.New("apt knows no Debian site with a component main: run apt-get update on Debian, or boot a kernel of your own with -image")
	}
	if _, err := os.Stat(debianKeyring); err != nil {
		return fmt.Errorf("looking for Debian's keys, which the package debian-archive-keyring has: %w", err)
	}
	for _, sub := range []string{"lists/partial", "cache/archives/partial"} {
		if err := os.MkdirAll(filepath.Join(a.dir, sub), 0o755); err != nil {
			return err
		}
	}
	list := filepath.Join(a.dir, "sources.list")
	a.options = []string{
		"-o", "Dir::Etc::sourcelist=" + list,
		"-o", "Dir::Etc::sourceparts=/dev/null",
		"-o", "Dir::Etc::preferences=/dev/null",
		"-o", "Dir::Etc::preferencesparts=/dev/null",
		"-o", "Dir::State::lists=" + filepath.Join(a.dir, "lists"),
		"-o", "Dir::State::status=/dev/null", // an installed kernel is no candidate
		"-o", "Dir::Cache=" + filepath.Join(a.dir, "cache"),
		"-o", "APT::Sandbox::User=root",
		"-o", "APT::Architecture=amd64",
		"-o", "Acquire::Languages=none",
		"-o", "Acquire::IndexTargets::deb::DEP-11::DefaultEnabled=false",
		"-o", "Acquire::Check-Valid-Until=false", // nobody signs an old suite anew
	}
	return os.WriteFile(list, []byte(sources), 0o644)
}

// sourceLines makes the lists of suites, from the lines "ORIGIN SITE CODENAME
// COMPONENT KIND" that this machine's apt prints of its own.
func sourceLines(targets string, suites []string) string {
	var main, security string
	for line := range strings.Lines(targets) {
		f := strings.Fields(line)
		switch {
		case len(f) != 5 || f[0] != "Debian" || f[3] != "main" || f[4] != "Packages":
		case strings.HasSuffix(f[2], "-security"):
			security = first(security, f[1])
		default:
			main = first(main, f[1])
		}
	}
	var lines strings.Builder
	for _, suite := range suites {
		site := main
		if strings.HasSuffix(suite, "-security") {
			site = security
		}
		if site != "" {
			fmt.Fprintf(&lines, "deb [signed-by=%s] %s %s main\n", debianKeyring, site, suite)
		}
	}
	return lines.String()
}

func first(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

// update may fail for one suite, and the others are still good.
func (a *apt) update(ctx context.Context) error {
	_, err := a.run(ctx, "apt-get", "-qq", "update")
	return err
}

// imagePackage follows linux-image-amd64 to the package with the image: since
// 7.x that is one further down.
func (a *apt) imagePackage(ctx context.Context) (string, error) {
	name := "linux-image-amd64"
	for {
		out, err := a.run(ctx, "apt-cache", "depends", name)
		if err != nil {
			return "", fmt.Errorf("no suite has %s: %w", name, err)
		}
		next := imageDependency(out)
		if next == "" {
			break
		}
		name = next
	}
	if name == "linux-image-amd64" {
		return "", fmt.Errorf("%s names no kernel", name)
	}
	return name, nil
}

var imageName = regexp.MustCompile(`(?m)^ *Depends: (linux-(?:image|binary)-[0-9]\S*)$`)

// imageDependency finds the next package of that way in what apt-cache depends
// prints.
func imageDependency(depends string) string {
	if m := imageName.FindStringSubmatch(depends); m != nil {
		return m[1]
	}
	return ""
}

func (a *apt) download(ctx context.Context, name string) (string, error) {
	if _, err := a.run(ctx, "apt-get", "-qq", "download", name); err != nil {
		return "", fmt.Errorf("fetching %s: %w", name, err)
	}
	debs, err := filepath.Glob(filepath.Join(a.dir, name+"_*.deb"))
	if err != nil || len(debs) != 1 {
		return "", fmt.Errorf("fetching %s: apt-get left %d files", name, len(debs))
	}
	return debs[0], nil
}

func (a *apt) run(ctx context.Context, tool string, arguments ...string) (string, error) {
	var out, complaint strings.Builder
	cmd := exec.CommandContext(ctx, tool, append(append([]string(nil), a.options...), arguments...)...)
	if a.options != nil {
		cmd.Dir = a.dir
	}
	cmd.Stdout, cmd.Stderr = &out, &complaint
	if err := cmd.Run(); err != nil {
		return "", fmt.Errorf("%s %s: %w: %s", tool, arguments[0], err, strings.TrimSpace(complaint.String()))
	}
	return out.String(), nil
}

// imagePath is where packages have the kernel: before 7.x, and since.
var imagePath = regexp.MustCompile(`/vmlinuz(-[^/]*)?$`)

// extractImage copies the one kernel of a package.
func extractImage(ctx context.Context, deb, target string) error {
	cmd := exec.CommandContext(ctx, "dpkg-deb", "--fsys-tarfile", deb)
	out, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("reading %s: %w", deb, err)
	}
	found, err := copyImage(tar.NewReader(out), target)
	if err == nil && !found {
		err = errors.New("no kernel in it")
	}
	_, drainErr := io.Copy(io.Discard, out)
	if err := errors.Join(err, drainErr, cmd.Wait()); err != nil {
		return fmt.Errorf("reading %s: %w", deb, err)
	}
	return nil
}

func copyImage(files *tar.Reader, target string) (found bool, err error) {
	for {
		header, err := files.Next()
		if errors.Is(err, io.EOF) {
			return false, nil
		}
		if err != nil {
			return false, err
		}
		if header.Typeflag != tar.TypeReg || !imagePath.MatchString(header.Name) {
			continue
		}
		f, err := os.OpenFile(target, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, fs.FileMode(0o644))
		if err != nil {
			return false, err
		}
		_, err = io.Copy(f, files)
		return true, errors.Join(err, f.Close())
	}
}
