package e2e

import "fmt"

// The names of flags and commands, from the manual pages: msgget(2), msgop(2),
// semop(2), shmop(2) and their kin.
var (
	flagNames = map[string]map[uint32]string{
		"msgget": {01000: "IPC_CREAT", 02000: "IPC_EXCL"},
		"semget": {01000: "IPC_CREAT", 02000: "IPC_EXCL"},
		"shmget": {01000: "IPC_CREAT", 02000: "IPC_EXCL", 04000: "SHM_HUGETLB", 010000: "SHM_NORESERVE"},
		"msgsnd": {04000: "IPC_NOWAIT"},
		"msgrcv": {04000: "IPC_NOWAIT", 010000: "MSG_NOERROR", 020000: "MSG_EXCEPT", 040000: "MSG_COPY"},
		"shmat":  {010000: "SHM_RDONLY", 020000: "SHM_RND", 040000: "SHM_REMAP", 0100000: "SHM_EXEC"},
		"sembuf": {04000: "IPC_NOWAIT", 010000: "SEM_UNDO"},
	}
	ctlCommands = map[int64]string{0: "IPC_RMID", 1: "IPC_SET", 2: "IPC_STAT", 3: "IPC_INFO"}
	commands    = map[string]map[int64]string{
		"msgctl": {11: "MSG_STAT", 12: "MSG_INFO", 13: "MSG_STAT_ANY"},
		"semctl": {
			11: "GETPID", 12: "GETVAL", 13: "GETALL", 14: "GETNCNT", 15: "GETZCNT", 16: "SETVAL", 17: "SETALL",
			18: "SEM_STAT", 19: "SEM_INFO", 20: "SEM_STAT_ANY",
		},
		"shmctl": {11: "SHM_LOCK", 12: "SHM_UNLOCK", 13: "SHM_STAT", 14: "SHM_INFO", 15: "SHM_STAT_ANY"},
		"ipc": {
			1: "SEMOP", 2: "SEMGET", 3: "SEMCTL", 4: "SEMTIMEDOP", 11: "MSGSND", 12: "MSGRCV", 13: "MSGGET",
			14: "MSGCTL", 21: "SHMAT", 22: "SHMDT", 23: "SHMGET", 24: "SHMCTL", 25: "DIPC",
		},
	}
)

// symbols names the bits of value; those without a name are one hexadecimal
// number at the end. The mode of the *get calls is no flag.
func symbols(event string, value uint32) []string {
	names := []string{}
	if event == "msgget" || event == "semget" || event == "shmget" {
		value &^= 0777
	}
	for bit := uint32(1); bit != 0; bit <<= 1 {
		if name := flagNames[event][bit]; name != "" && value&bit != 0 {
			names = append(names, name)
			value &^= bit
		}
	}
	if value != 0 {
		names = append(names, fmt.Sprintf("%#x", value))
	}
	return names
}

// commandName is "" for a command that the call does not know.
func commandName(event string, cmd int64) string {
	if name := ctlCommands[cmd]; name != "" && event != "ipc" {
		return name
	}
	return commands[event][cmd]
}
