package main

import "testing"

func TestSourceLines(t *testing.T) {
	const targets = `Other http://other.example/ bookworm main Packages
Debian http://site.example/debian/ bookworm main DEP-11
Debian http://site.example/debian/ bookworm main Packages
Debian http://site.example/debian/ bookworm-updates main Packages
Debian http://site.example/debian-security/ bookworm-security main Packages
`
	const signed = "deb [signed-by=" + debianKeyring + "] "
	want := signed + "http://site.example/debian/ bullseye main\n" +
		signed + "http://site.example/debian-security/ bullseye-security main\n"
	suites := []string{"bullseye", "bullseye-security"}
	if got := sourceLines(targets, suites); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if got := sourceLines("Ubuntu http://site.example/ noble main Packages\n", suites); got != "" {
		t.Errorf("got %q without Debian", got)
	}
}

func TestImageDependency(t *testing.T) {
	for text, want := range map[string]string{
		"linux-image-amd64\n  Depends: linux-base-amd64\n  Depends: linux-image-7.2.13+deb14-amd64\n":            "linux-image-7.2.13+deb14-amd64",
		"x\n |Depends: dracut\n  Depends: linux-base-7.2-amd64\n  Depends: linux-binary-7.2.13+deb14-amd64\n":    "linux-binary-7.2.13+deb14-amd64",
		"x\n  Depends: kmod\n  Depends: <linux-initramfs-tool>\n    dracut\n  Suggests: linux-image-6.1-amd64\n": "",
	} {
		if got := imageDependency(text); got != want {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
}

func TestImagePath(t *testing.T) {
	for path, want := range map[string]bool{
		"./boot/vmlinuz-6.1.0-56-amd64":                true,
		"./usr/lib/modules/7.2.13+deb14-amd64/vmlinuz": true,
		"./boot/config-6.1.0-56-amd64":                 false,
		"./usr/share/doc/vmlinuz/README":               false,
	} {
		if got := imagePath.MatchString(path); got != want {
			t.Errorf("%s: got %v", path, got)
		}
	}
}
