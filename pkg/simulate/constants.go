package simulate

// Flags and commands of System V IPC (include/uapi/linux/{ipc,msg,sem,shm}.h), which
// x/sys/unix has in part.
const (
	private   = 0 // IPC_PRIVATE
	create    = 0o1000
	exclusive = 0o2000
	noWait    = 0o4000

	remove = 0 // IPC_RMID
	set    = 1 // IPC_SET
	stat   = 2 // IPC_STAT

	ipcInfo = 3 // IPC_INFO

	msgCopy = 0o40000
	msgStat = 11

	setval = 16
	undo   = 0x1000

	shmReadOnly = 0o10000
	shmRound    = 0o20000
	shmRemap    = 0o40000
	shmExec     = 0o100000
)

// key is that of objects which have one.
const key = 0x1bc0ffee
