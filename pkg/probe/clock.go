package probe

import (
	"time"

	"golang.org/x/sys/unix"
)

// clockAge is how long the relation of the two clocks is taken to hold: the wall
// clock can be set, and is slewed by NTP.
const clockAge = time.Second

// untimedRecords is after how many records at most the clock is looked at, which otherwise
// is when there is none: under load there always is.
const untimedRecords = 1000

// clock turns the kernel's times since boot into wall-clock times.
type clock struct {
	bootToUnixNS int64
	read         time.Time
}

// refresh reads both clocks again if the last reading is too old at now.
func (c *clock) refresh(now time.Time) {
	if now.Sub(c.read) < clockAge {
		return
	}
	c.bootToUnixNS, c.read = now.UnixNano()-bootNS(), now
}

// bootNS is the kernel's time since boot, in nanoseconds.
func bootNS() int64 {
	var boot unix.Timespec
	_ = unix.ClockGettime(unix.CLOCK_BOOTTIME, &boot) // a vDSO call that does not fail
	return boot.Nano()
}
