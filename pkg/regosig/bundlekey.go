package regosig

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/open-policy-agent/opa/v1/bundle"
	"github.com/open-policy-agent/opa/v1/keys"
)

// signaturesFile is where a bundle has its signature: a JWT with the digests of
// all other files.
const signaturesFile = ".signatures.json"

func isSignature(e entry) bool { return e.name == signaturesFile }

// bundleKey verifies bundles.
type bundleKey struct {
	// texts are the key as OPA takes it, in each form that it may have been used.
	texts []string
	// algorithms are those that the key is for. The bundle chooses among them and
	// no others: else it could use a public key as the secret of an HMAC.
	algorithms []string
}

// WithBundleKey has the bundles among the sources verified with the key in a
// file: a public key or certificate in PEM, or else the secret of an HMAC. An
// empty name leaves them as they are.
func WithBundleKey(sources []Source, name string) ([]Source, error) {
	if name == "" {
		return sources, nil
	}
	text, err := os.ReadFile(name)
	if err != nil {
		return nil, fmt.Errorf("read the key of bundles: %w", err)
	}
	key, err := parseBundleKey(text)
	if err != nil {
		return nil, fmt.Errorf("key of bundles %s: %w", name, err)
	}
	verified := slices.Clone(sources)
	bundles := 0
	for i := range verified {
		if verified[i].bundle {
			verified[i].key = key
			bundles++
		}
	}
	if bundles == 0 {
		return nil, fmt.Errorf("key of bundles %s: there is no bundle (FILE%s) to verify", name, bundleSuffix)
	}
	return verified, nil
}

func parseBundleKey(text []byte) (*bundleKey, error) {
	if !bytes.Contains(text, []byte("-----BEGIN")) {
		secret := strings.TrimRight(string(text), "\r\n")
		if secret == "" {
			return nil, errors.New("the file is empty")
		}
		// opa sign --signing-key takes a file with its last newline.
		return &bundleKey{slices.Compact([]string{secret, string(text)}), []string{"HS256", "HS384", "HS512"}}, nil
	}
	block, _ := pem.Decode(text)
	if block == nil {
		return nil, errors.New("no PEM")
	}
	var public any
	var err error
	switch block.Type {
	case "PUBLIC KEY":
		public, err = x509.ParsePKIXPublicKey(block.Bytes)
	case "RSA PUBLIC KEY":
		public, err = x509.ParsePKCS1PublicKey(block.Bytes)
	case "CERTIFICATE":
		var certificate *x509.Certificate
		if certificate, err = x509.ParseCertificate(block.Bytes); err == nil {
			public = certificate.PublicKey
		}
	default:
		return nil, fmt.Errorf("PEM has %q, not a public key or a certificate", block.Type)
	}
	if err != nil {
		return nil, err
	}
	key := &bundleKey{texts: []string{string(pem.EncodeToMemory(block))}}
	switch public := public.(type) {
	case *rsa.PublicKey:
		key.algorithms = []string{"RS256", "RS384", "RS512", "PS256", "PS384", "PS512"}
	case *ecdsa.PublicKey:
		switch bits := public.Curve.Params().BitSize; bits {
		case 256, 384:
			key.algorithms = []string{fmt.Sprintf("ES%d", bits)}
		case 521:
			key.algorithms = []string{"ES512"}
		}
	}
	if key.algorithms == nil {
		return nil, fmt.Errorf("bundles cannot be signed for a key of type %T", public)
	}
	return key, nil
}

// verify wants the entries to be what was signed: none changed, missing or added.
func (k *bundleKey) verify(entries []entry) error {
	at := slices.IndexFunc(entries, isSignature)
	if at < 0 {
		return fmt.Errorf("the bundle is not signed: it has no %s", signaturesFile)
	}
	var signatures bundle.SignaturesConfig
	if err := json.Unmarshal(entries[at].data, &signatures); err != nil {
		return entryError(signaturesFile, "%w", err)
	}
	files, err := k.signed(signatures)
	if err != nil {
		return entryError(signaturesFile, "%w", err)
	}
	for i, e := range entries {
		if i == at {
			continue
		}
		if err := bundle.VerifyBundleFile(e.name, *bytes.NewBuffer(e.data), files); err != nil {
			return entryError(e.name, "not what was signed: %w", err)
		}
	}
	if len(files) > 0 {
		return entryError(slices.Min(slices.Collect(maps.Keys(files))), "signed, but not there")
	}
	return nil
}

// signed returns the files that the signature is for.
func (k *bundleKey) signed(signatures bundle.SignaturesConfig) (map[string]bundle.FileInfo, error) {
	if len(signatures.Signatures) != 1 {
		return nil, fmt.Errorf("%d signatures, want one", len(signatures.Signatures))
	}
	algorithm, err := algorithmOf(signatures.Signatures[0])
	if err != nil {
		return nil, err
	}
	if !slices.Contains(k.algorithms, algorithm) {
		return nil, fmt.Errorf("signed by %q, but the key is for %s", algorithm, strings.Join(k.algorithms, ", "))
	}
	var files map[string]bundle.FileInfo
	for _, text := range k.texts {
		const id = "key"
		config := bundle.NewVerificationConfig(map[string]*keys.Config{id: {Key: text, Algorithm: algorithm}}, id, "", nil)
		// Not the verifier that the bundle asks for.
		if files, err = (&bundle.DefaultVerifier{}).VerifyBundleSignature(signatures, config); err == nil {
			return files, nil
		}
	}
	return nil, err
}

// algorithmOf is what the header of a JWT names.
func algorithmOf(token string) (string, error) {
	encoded, _, _ := strings.Cut(token, ".")
	text, err := base64.RawURLEncoding.DecodeString(encoded)
	var header struct {
		Algorithm string `json:"alg"`
	}
	if err == nil {
		err = json.Unmarshal(text, &header)
	}
	if err != nil {
		return "", fmt.Errorf("header of the signature: %w", err)
	}
	return header.Algorithm, nil
}
