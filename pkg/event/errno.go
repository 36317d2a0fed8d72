package event

import "strconv"

// maxErrno bounds the return values that are errors (include/linux/err.h). No
// address that shmat returns lies in that range.
const maxErrno = 4095

// errnoNames has every error that a System V IPC call can end with, from
// ipc/*.c, and the kernel-internal restart codes that sys_exit shows when a
// signal interrupted the call (include/linux/errno.h): the caller sees those as
// EINTR, or the call is made again.
var errnoNames = [...]string{
	1: "EPERM", 2: "ENOENT", 4: "EINTR", 7: "E2BIG", 11: "EAGAIN", 12: "ENOMEM",
	13: "EACCES", 14: "EFAULT", 16: "EBUSY", 17: "EEXIST", 19: "ENODEV", 22: "EINVAL",
	23: "ENFILE", 24: "EMFILE", 27: "EFBIG", 28: "ENOSPC", 34: "ERANGE", 38: "ENOSYS",
	42: "ENOMSG", 43: "EIDRM", 75: "EOVERFLOW", 95: "EOPNOTSUPP",
	512: "ERESTARTSYS", 513: "ERESTARTNOINTR", 514: "ERESTARTNOHAND", 516: "ERESTART_RESTARTBLOCK",
}

// Errno is the symbolic error of a return value, "" for success, and the number
// after E for an error that no call is known to give.
func Errno(ret int64) string {
	if ret >= 0 || ret < -maxErrno {
		return ""
	}
	if name := KnownErrno(ret); name != "" {
		return name
	}
	return "E" + strconv.FormatInt(-ret, 10)
}

// KnownErrno is Errno where that is a name, and "" for success and for errors that no
// call is known to give.
func KnownErrno(ret int64) string {
	if ret >= 0 || ret < -maxErrno {
		return ""
	}
	if -ret < int64(len(errnoNames)) {
		return errnoNames[-ret]
	}
	return ""
}
