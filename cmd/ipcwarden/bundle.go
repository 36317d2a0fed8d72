package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/ipcwarden/ipcwarden/pkg/regosig"
)

const bundleKeyFlag = "bundle-key"

// flagBundleKey adds the flag for the key that bundles are signed for.
func flagBundleKey(cmd *cobra.Command, key *string) {
	cmd.Flags().StringVar(key, bundleKeyFlag, "",
		"refuse bundles not signed for the key in `FILE`: a public key in PEM, or the secret of an HMAC; without it none is verified")
}

// withBundleKey has the bundles among sources verified as the flag says.
func withBundleKey(cmd *cobra.Command, sources []regosig.Source) ([]regosig.Source, error) {
	key, err := cmd.Flags().GetString(bundleKeyFlag)
	if err != nil {
		return nil, fmt.Errorf("--%s: %w", bundleKeyFlag, err)
	}
	return regosig.WithBundleKey(sources, key)
}
