package sink

import (
	"fmt"
	"net/http"
	"strconv"
	"time"
)

const (
	// An answer's body says nothing to us. It is read, within bounds, so that
	// the connection can be used again.
	drainBytes   = 64 << 10
	drainTimeout = time.Second

	// maxRetryAfter bounds how long the receiver can make us wait.
	maxRetryAfter = 10 * time.Minute
)

// judge says what an answer means: any 2xx is success; what is wrong with the request
// will be wrong each time; all else may change.
func judge(response *http.Response, now time.Time) error {
	code := response.StatusCode
	problem := fmt.Errorf("answered %d %s", code, http.StatusText(code))
	switch {
	case code >= 200 && code < 300:
		return nil
	case code >= 300 && code < 400:
		return fmt.Errorf("%w: redirects are not followed, as alerts go where the configuration says or nowhere", problem)
	case code == http.StatusRequestTimeout, code == http.StatusTooEarly, code == http.StatusTooManyRequests, code >= 500:
		return &Later{problem, retryAfter(response.Header.Get("Retry-After"), now)}
	default:
		return &Rejected{problem}
	}
}

// retryAfter is the wait that the receiver asks for, in seconds or until a date; 0 for
// none.
func retryAfter(text string, now time.Time) time.Duration {
	if seconds, err := strconv.ParseUint(text, 10, 32); err == nil {
		return min(time.Duration(seconds)*time.Second, maxRetryAfter)
	}
	if date, err := http.ParseTime(text); err == nil {
		return min(max(date.Sub(now), 0), maxRetryAfter)
	}
	return 0
}
