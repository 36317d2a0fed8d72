package setting

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
)

// CheckURL tells whether rawURL is an address with a host and one of schemes; an
// empty one is no error. As it may be a secret, no error repeats it.
func CheckURL(rawURL string, schemes ...string) error {
	if rawURL == "" {
		return nil
	}
	u, err := url.Parse(rawURL)
	switch {
	case err != nil:
		return errors.New("the URL is malformed (it is not repeated here, as it may hold a secret)")
	case !slices.Contains(schemes, u.Scheme):
		return fmt.Errorf("the URL must begin with %s://", strings.Join(schemes, ":// or "))
	case u.Hostname() == "":
		return errors.New("the URL has no host")
	}
	return nil
}
