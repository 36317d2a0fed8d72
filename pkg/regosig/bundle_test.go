package regosig

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/open-policy-agent/opa/v1/bundle"
)

var bundled = header("A") + "package a\nmatch if input.arg.msgsz > 1\n"

// packed is a bundle of the given entries.
func packed(t testing.TB, headers ...tar.Header) []byte {
	t.Helper()
	var b bytes.Buffer
	zipped := gzip.NewWriter(&b)
	w := tar.NewWriter(zipped)
	for _, h := range headers {
		text := h.Linkname // the test's place for it
		if h.Typeflag == 0 {
			h.Typeflag, h.Linkname, h.Size = tar.TypeReg, "", int64(len(text))
		}
		h.Mode = 0o644
		if err := w.WriteHeader(&h); err != nil {
			t.Fatal(err)
		}
		if h.Typeflag == tar.TypeReg {
			if _, err := w.Write([]byte(text)); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if err := zipped.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func text(name, text string) tar.Header { return tar.Header{Name: name, Linkname: text} }

func onDisk(t testing.TB, name string, data []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// written is a bundle as OPA writes it, signed if there is a configuration.
func written(t testing.TB, signing *bundle.SigningConfig, modules map[string]string) []byte {
	t.Helper()
	b := bundle.Bundle{Data: map[string]any{}}
	b.Manifest.Init()
	for name, text := range modules {
		b.Modules = append(b.Modules, bundle.ModuleFile{
			URL: name, Path: name, Raw: []byte(text), Parsed: parse(file{name: name, text: text}, capabilities(), &problems{}).Module,
		})
	}
	if signing != nil {
		if err := b.GenerateSignature(signing, "some-id", false); err != nil {
			t.Fatal(err)
		}
	}
	var out bytes.Buffer
	if err := bundle.NewWriter(&out).DisableFormat(true).Write(b); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func TestBundle(t *testing.T) {
	path := onDisk(t, "site.tar.gz", written(t, nil, map[string]string{
		"/sub/a.rego": bundled, "/a_test.rego": "package a_test\ntest_a if false\n",
	}))
	set, err := Load(Path(path))
	if err != nil {
		t.Fatal(err)
	}
	if list := set.Warnings(); len(list) > 0 {
		t.Errorf("it is not signed, and there are warnings: %q", list)
	}
	if list := set.Signatures(); len(list) != 1 || list[0].Metadata().ID != "A" || list[0].Metadata().Source != path+"/sub/a.rego" {
		t.Errorf("signatures %+v", list)
	}

	path = onDisk(t, "site.tar.gz", packed(t, text("./sub/a.rego", strings.Replace(bundled, "msgsz", "mgsz", 1))))
	if _, err = Load(Path(path)); err == nil || !strings.HasPrefix(err.Error(), path+"/sub/a.rego:") {
		t.Errorf("got %v, want file and line in the bundle", err)
	}
}

func TestBadBundles(t *testing.T) {
	good := text("a.rego", bundled)
	many := make([]tar.Header, maxEntries+1)
	for i := range many {
		many[i] = text(filepath.Join("d", strings.Repeat("x", i%100+1), string(rune('a'+i/100%26)), string(rune('a'+i/2600))), "")
	}
	bomb := make([]tar.Header, maxBundleBytes/maxEntryBytes+1)
	for i := range bomb {
		bomb[i] = text(strings.Repeat("x", i+1), strings.Repeat("\x00", maxEntryBytes))
	}
	whole := packed(t, good)
	changed := bytes.Clone(whole)
	changed[len(changed)-5]++ // its checksum
	for name, c := range map[string]struct {
		archive []byte
		want    string
	}{
		"no archive":      {[]byte("text"), "not a bundle: unexpected EOF"},
		"empty":           {nil, "not a bundle: EOF"},
		"no tar":          {gzipped(t, "some text that is no archive"), "not a bundle: unexpected EOF"},
		"cut":             {whole[:len(whole)/2], `unexpected EOF`},
		"bad checksum":    {changed, "after the last entry: gzip: invalid checksum"},
		"traversal":       {packed(t, good, text("../../etc/x.rego", bundled)), `entry "../../etc/x.rego": the name leads out of the bundle`},
		"traversal below": {packed(t, good, text("/a/../../x.rego", bundled)), `entry "/a/../../x.rego": the name leads out of the bundle`},
		"directory":       {packed(t, good, tar.Header{Name: "../x/", Typeflag: tar.TypeDir}), `entry "../x/": the name leads out of the bundle`},
		"link":            {packed(t, tar.Header{Name: "l.rego", Typeflag: tar.TypeSymlink, Linkname: "/etc/passwd"}), `entry "l.rego": neither a regular file nor a directory`},
		"hard link":       {packed(t, tar.Header{Name: "l.rego", Typeflag: tar.TypeLink, Linkname: "a.rego"}), `entry "l.rego": neither a regular file nor a directory`},
		"fifo":            {packed(t, tar.Header{Name: "f.rego", Typeflag: tar.TypeFifo}), `entry "f.rego": neither a regular file nor a directory`},
		"twice":           {packed(t, good, text("/a.rego", bundled)), `entry "/a.rego": the bundle has it twice`},
		"large entry":     {packed(t, text("b.rego", strings.Repeat("#", maxEntryBytes+1))), `entry "b.rego": larger than 4194304 bytes`},
		"many entries":    {packed(t, many...), "the bundle has more than 10000 files"},
		"bomb":            {packed(t, bomb...), "the bundle unpacks to more than 67108864 bytes"},
		"data":            {packed(t, good, text("x/data.json", `{"a": 1}`)), `entry "x/data.json": signatures have no data but rules`},
		"yaml data":       {packed(t, good, text("data.yaml", "")), `entry "data.yaml": signatures have no data but rules`},
		"manifest":        {packed(t, good, text(".manifest", `{"roots":`)), `entry ".manifest": not a manifest of OPA`},
		"delta":           {packed(t, text("patch.json", "{}")), `entry "patch.json": a delta bundle`},
		"no signature":    {packed(t, text("a.txt", "")), "no .rego file in this bundle"},
	} {
		t.Run(name, func(t *testing.T) {
			path := onDisk(t, "b.tar.gz", c.archive)
			if _, err := Load(Path(path)); err == nil || !strings.HasPrefix(err.Error(), path+": ") || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got  %v\nwant %s: %s", err, path, c.want)
			}
		})
	}
	if _, err := Load(Path("/nowhere/b.tar.gz")); err == nil || !strings.Contains(err.Error(), "/nowhere/b.tar.gz: no such file") {
		t.Errorf("got %v", err)
	}
}

func gzipped(t testing.TB, text string) []byte {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := w.Write([]byte(text)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// keyPair is a private key as OPA signs with it, and the public one in PEM.
func keyPair(t testing.TB, private any, public any) (signing, verifying string) {
	t.Helper()
	a, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	b, err := x509.MarshalPKIXPublicKey(public)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: a})),
		string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: b}))
}

func TestSignedBundles(t *testing.T) {
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	ecKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	rsaPrivate, rsaPublic := keyPair(t, rsaKey, rsaKey.Public())
	ecPrivate, ecPublic := keyPair(t, ecKey, ecKey.Public())
	modules := map[string]string{"/a.rego": bundled}
	signed := func(key, algorithm string) []byte {
		return written(t, bundle.NewSigningConfig(key, algorithm, ""), modules)
	}
	byRSA := signed(rsaPrivate, "RS256")
	repacked := func(change func([]entry) []entry) []byte {
		entries, err := unpack(byRSA)
		if err != nil {
			t.Fatal(err)
		}
		var headers []tar.Header
		for _, e := range change(entries) {
			headers = append(headers, text(e.name, string(e.data)))
		}
		return packed(t, headers...)
	}
	for name, c := range map[string]struct {
		archive   []byte
		key, want string
	}{
		"rsa":         {byRSA, rsaPublic, ""},
		"rsa-pss":     {signed(rsaPrivate, "PS384"), rsaPublic, ""},
		"ecdsa":       {signed(ecPrivate, "ES256"), ecPublic, ""},
		"hmac":        {signed("a secret", "HS512"), "a secret", ""},
		"hmac, \\n":   {signed("a secret", "HS256"), "a secret\n", ""},
		"repacked":    {repacked(func(e []entry) []entry { return e }), rsaPublic, ""},
		"unsigned":    {written(t, nil, modules), rsaPublic, "the bundle is not signed: it has no .signatures.json"},
		"wrong key":   {signed(ecPrivate, "ES256"), rsaPublic, `signed by "ES256", but the key is for RS256`},
		"other hmac":  {signed("a secret", "HS256"), "another", "failed to verify JWT signature"},
		"public hmac": {signed(strings.TrimSpace(rsaPublic)+"\n", "HS256"), rsaPublic, `signed by "HS256"`},
		"changed": {repacked(func(entries []entry) []entry {
			for i := range entries {
				if entries[i].name == "a.rego" {
					entries[i].data = append(entries[i].data, '#')
				}
			}
			return entries
		}), rsaPublic, `entry "a.rego": not what was signed`},
		"added": {repacked(func(entries []entry) []entry {
			return append(entries, entry{"b.rego", []byte("package b\n")})
		}), rsaPublic, `entry "b.rego": not what was signed`},
		"missing": {repacked(func(entries []entry) (rest []entry) {
			for _, e := range entries {
				if e.name != "a.rego" {
					rest = append(rest, e)
				}
			}
			return rest
		}), rsaPublic, `entry "a.rego": signed, but not there`},
		"no key":      {byRSA, "-----BEGIN PUBLIC KEY-----\n", "no PEM"},
		"private key": {byRSA, rsaPrivate, `PEM has "PRIVATE KEY"`},
		"empty key":   {byRSA, "\n", "the file is empty"},
	} {
		t.Run(name, func(t *testing.T) {
			sources, err := WithBundleKey([]Source{Path(onDisk(t, "b.tar.gz", c.archive))}, onDisk(t, "key", []byte(c.key)))
			if err == nil {
				_, err = Load(sources...)
			}
			if c.want == "" && err == nil {
				verified(t, sources)
			}
			if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
				t.Errorf("got  %v\nwant %s", err, c.want)
			}
		})
	}
	if _, err := WithBundleKey([]Source{Builtin()}, onDisk(t, "key", []byte(rsaPublic))); err == nil {
		t.Error("a key for no bundle was accepted")
	}
}

// verified wants a warning for what is signed if the key is not there, and none else.
func verified(t *testing.T, sources []Source) {
	t.Helper()
	for _, key := range []*bundleKey{sources[0].key, nil} {
		sources[0].key = key
		set, err := Load(sources...)
		if err != nil {
			t.Fatal(err)
		}
		warnings := strings.Join(set.Warnings(), "\n")
		if want := sources[0].Name + ": the bundle is signed, but nothing verifies that: --bundle-key"; (key == nil) != strings.HasPrefix(warnings, want) {
			t.Errorf("with a key: %t, warnings %q", key != nil, warnings)
		}
	}
}

// FuzzBundle holds the loader of bundles to bounds and to a problem for each
// bundle that it does not load, whatever is in the file.
func FuzzBundle(f *testing.F) {
	f.Add(packed(f, text("a.rego", bundled)), false)
	f.Add(packed(f, text("../a", ""), tar.Header{Name: "d/", Typeflag: tar.TypeDir}), false)
	f.Add(written(f, bundle.NewSigningConfig("secret", "HS256", ""), map[string]string{"/a.rego": bundled}), true)
	for _, zipped := range [][]byte{packed(f, text("a.rego", bundled), text(".manifest", "{}")), packed(f, text("/../a", "x"))} {
		r, err := gzip.NewReader(bytes.NewReader(zipped))
		if err != nil {
			f.Fatal(err)
		}
		plain, err := io.ReadAll(r)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(plain, true)
	}
	key, err := parseBundleKey([]byte("secret"))
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, archive []byte, verify bool) {
		// Mutated gzip hardly ever gets past its checksum.
		for _, archive := range [][]byte{archive, gzipped(t, string(archive))} {
			source := Source{Name: onDisk(t, "b.tar.gz", archive), bundle: true}
			if verify {
				source.key = key
			}
			var ps problems
			files := source.readBundle(&ps)
			if (len(files) == 0) == (len(ps.list) == 0) {
				t.Errorf("%d files, %d problems", len(files), len(ps.list))
			}
			for _, p := range ps.list {
				if strings.ContainsFunc(p.String(), unprintable) {
					t.Errorf("unprintable: %q", p.String())
				}
				if strings.Contains(p.Reason, "reading the bundle failed") {
					t.Errorf("a panic: %s", p.Reason)
				}
			}
		}
	})
}
