package simulate

import (
	"golang.org/x/sys/unix"

	"github.com/ipcwarden/ipcwarden/pkg/event"
)

const (
	sprayed      = 70 // objects, attempts
	doomedBytes  = 1024
	slabBytes    = 464 // with the kernel's header 512, a slab of kmalloc
	probedKeys   = 40
	refusals     = 10
	manyQueues   = 1000
	largeSets    = 40
	largeSetSize = 8192
)

var sprays = []*Scenario{
	{ID: "IPCW-026", Does: "sends to 70 queues messages that fill a slab of the kernel's to the last byte", Ways: both, act: fillSlabs},
	{ID: "IPCW-027", Does: "fills 70 private queues and empties them again", Ways: both, act: drain},
	{ID: "IPCW-028", Does: "creates 70 private segments of one page", Ways: both, act: segmentSpray},
	{ID: "IPCW-029", Does: "creates 70 private semaphore sets", Ways: both, act: semaphoreSpray},
	{ID: "IPCW-031", Does: "has the kernel remember what to undo for 70 private semaphore sets", Ways: both, act: undoSpray},
	{ID: "IPCW-032", Does: "sends 70 messages to a queue that it has removed", Ways: both, act: sendInVain},
	{ID: "IPCW-037", Does: "creates queues beyond the limit of its namespace, which it has set to one", Ways: both, act: exhaust},
	{ID: "IPCW-038", Does: "creates 40 sets of 8192 semaphores", Ways: both, act: largeObjects},
	{ID: "IPCW-051", Does: "creates 1000 queues", Ways: both, act: manyObjects},
	{ID: "IPCW-039", Does: "looks for queues under 40 keys", Ways: both, act: probeKeys},
}

func fillSlabs(a *actor) { a.fill(sprayed, a.message(1, "", slabBytes)) }

func drain(a *actor) {
	message := a.message(1, "", sprayBytes)
	for _, queue := range a.fill(sprayed, message) {
		a.do(event.Msgrcv, queue, message.address(), sprayBytes, 0, noWait)
	}
}

func segmentSpray(a *actor) {
	for range sprayed {
		a.do(event.Shmget, private, 4096, 0o600)
	}
}

func semaphoreSpray(a *actor) {
	for range sprayed {
		a.newSet()
	}
}

func undoSpray(a *actor) {
	add := a.operations(operation{add: 1, flags: undo})
	for range sprayed {
		a.operate(a.newSet(), add)
	}
}

func sendInVain(a *actor) {
	queue, message := a.do(event.Msgget, private, 0o600), a.message(1, "", doomedBytes)
	a.do(event.Msgctl, queue, remove, 0)
	for range sprayed {
		a.refused(unix.EINVAL, event.Msgsnd, queue, message.address(), doomedBytes, 0)
	}
}

func exhaust(a *actor) {
	limitQueues(1)
	a.do(event.Msgget, private, 0o600)
	for range refusals {
		a.refused(unix.ENOSPC, event.Msgget, private, 0o600)
	}
}

func manyObjects(a *actor) {
	for range manyQueues {
		a.do(event.Msgget, private, 0o600)
	}
}

func largeObjects(a *actor) {
	for range largeSets {
		a.do(event.Semget, private, largeSetSize, 0o600)
	}
}

func probeKeys(a *actor) {
	for i := range uintptr(probedKeys) {
		a.refused(unix.ENOENT, event.Msgget, key+i, 0)
	}
}
