# Uses python3-sysv-ipc the way that its tests and its demonstration programs do.
import os
import sysv_ipc


def raises(error, body, *arguments, **named):
    try:
        body(*arguments, **named)
    except error:
        return
    raise SystemExit(f"{body} did not raise {error}")


# A key that is free is found by trying.
semaphore = sysv_ipc.Semaphore(None, sysv_ipc.IPC_CREX)
raises(sysv_ipc.ExistentialError, sysv_ipc.Semaphore, semaphore.key, sysv_ipc.IPC_CREX)
same = sysv_ipc.Semaphore(semaphore.key)
assert semaphore.value == 0
semaphore.release()
semaphore.acquire()
raises(sysv_ipc.BusyError, semaphore.acquire, timeout=0.05)
semaphore.block = False
raises(sysv_ipc.BusyError, semaphore.acquire)
semaphore.block = True
semaphore.mode = 0o640
semaphore.undo = True
semaphore.value = 1
with semaphore:
    pass

memory = sysv_ipc.SharedMemory(None, sysv_ipc.IPC_CREX, size=8192, init_character=b" ")
other = sysv_ipc.attach(memory.id)
memory.write(b"hello")
assert other.read(5) == b"hello" and memory.number_attached == 2
other.detach()
readonly = sysv_ipc.SharedMemory(memory.key, flags=0, mode=0)
readonly.detach()
readonly.attach(flags=sysv_ipc.SHM_RDONLY)
assert readonly.read(5) == b"hello"
readonly.detach()

# Two processes talk through memory, one at a time.
semaphore.undo = False
child = os.fork()
if not child:
    for turn in range(200):
        with semaphore:
            memory.write(b"child %3d" % turn)
    os._exit(0)
for turn in range(200):
    with semaphore:
        memory.write(b"parent%3d" % turn)
assert os.waitpid(child, 0)[1] == 0

queue = sysv_ipc.MessageQueue(None, sysv_ipc.IPC_CREX, max_message_size=2048)
for kind in range(1, 6):
    queue.send(b"text", type=kind)
assert queue.current_messages == 5
assert queue.receive(type=3) == (b"text", 3)
for _ in range(4):
    queue.receive()
raises(sysv_ipc.BusyError, queue.receive, block=False)
queue.mode = 0o620

memory.detach()
for thing in (queue, memory, semaphore):
    thing.remove()
