/* SPDX-License-Identifier: GPL-2.0 */
/*
 * SipHash-1-3 of memory, to compare more of it than is worth sending. The hash has
 * a key that nobody outside knows: who changes memory cannot choose what goes
 * unnoticed. What is not static here is verified once, and not for each path that
 * leads to it; so it finds the current call by itself.
 */
#ifndef IPCWARDEN_DIGEST_H
#define IPCWARDEN_DIGEST_H

/* What a message has in one piece, less its head (ipc/msgutil.c: DATALEN_MSG). */
#define DIGEST_LIMIT 4048

#define ROTATE(x, by) ((x) << (by) | (x) >> (64 - (by)))

#define SIP_ROUND(v)                                                                    \
	do {                                                                            \
		v[0] += v[1], v[1] = ROTATE(v[1], 13), v[1] ^= v[0], v[0] = ROTATE(v[0], 32); \
		v[2] += v[3], v[3] = ROTATE(v[3], 16), v[3] ^= v[2];                    \
		v[0] += v[3], v[3] = ROTATE(v[3], 21), v[3] ^= v[0];                    \
		v[2] += v[1], v[1] = ROTATE(v[1], 17), v[1] ^= v[2], v[2] = ROTATE(v[2], 32); \
	} while (0)

static __always_inline void start_digest(struct inflight *call)
{
	call->sip[0] = digest_key[0] ^ 0x736f6d6570736575ULL;
	call->sip[1] = digest_key[1] ^ 0x646f72616e646f6dULL;
	call->sip[2] = digest_key[0] ^ 0x6c7967656e657261ULL;
	call->sip[3] = digest_key[1] ^ 0x7465646279746573ULL;
}

static __always_inline __u64 end_digest(struct inflight *call, __u64 bytes)
{
	__u64 v[4];

	__builtin_memcpy(v, call->sip, sizeof(v));
	v[3] ^= bytes;
	SIP_ROUND(v);
	v[0] ^= bytes;
	v[2] ^= 0xff;
	SIP_ROUND(v);
	SIP_ROUND(v);
	SIP_ROUND(v);
	return v[0] ^ v[1] ^ v[2] ^ v[3];
}

/* Adds the call's chunk. */
__noinline int digest_chunk(void)
{
	struct inflight *call = current_call();
	__u64 v[4];
	__u32 i;

	if (!call)
		return 0;
	__builtin_memcpy(v, call->sip, sizeof(v));
#pragma unroll
	for (i = 0; i < DIGEST_CHUNK / sizeof(__u64); i++) {
		v[3] ^= call->chunk[i];
		SIP_ROUND(v);
		v[0] ^= call->chunk[i];
	}
	__builtin_memcpy(call->sip, v, sizeof(v));
	return 0;
}

static __always_inline long read_chunk(struct inflight *call, __u64 which, __u64 address, __u64 bytes)
{
	if (which == IN_KERNEL)
		return bpf_probe_read_kernel(call->chunk, bytes, (void *)address);
	return bpf_probe_read_user(call->chunk, bytes, (void *)address);
}

/*
 * Digests up to digest_bytes of memory, of the user or of the kernel, for a view of
 * the current call's main memory. It ends before what cannot be read.
 */
__noinline int digest(__u64 which, __u64 address, __u64 length)
{
	struct inflight *call = current_call();
	__u64 bytes = length > digest_bytes ? digest_bytes : length;
	__u64 rest = bytes > DIGEST_CHUNK ? DIGEST_CHUNK : bytes;
	__u64 done = 0;
	long err = 0;
	__u32 i;

	if (!call)
		return 0;
	start_digest(call);
	for (i = 0; i < DIGEST_LIMIT / DIGEST_CHUNK && done + DIGEST_CHUNK < bytes; i++) {
		err = read_chunk(call, which, address + done, DIGEST_CHUNK);
		if (err)
			break;
		digest_chunk();
		done += DIGEST_CHUNK;
	}
	asm volatile("" : "+r"(rest));
	if (!err && rest && rest <= DIGEST_CHUNK) {
		/* The last one ends with the memory: it has some of the one before again. */
		__builtin_memset(call->chunk, 0, DIGEST_CHUNK);
		if (!read_chunk(call, which, address + bytes - rest, rest)) {
			digest_chunk();
			done = bytes;
		}
	}
	asm volatile("" : "+r"(which)); /* the verifier wants the bound here */
	if (which >= VIEWS || !done)
		return 0;
	call->record.digests[which] = end_digest(call, done);
	call->record.memory[MEMORY_MAIN].views[which].digested = done;
	return 0;
}

#endif
