//go:build ignore

// SPDX-License-Identifier: GPL-2.0
/*
 * The probe: every System V IPC call of every process, from entry to exit, as
 * one record in a ring. The programs below differ in where they are attached;
 * what they do is the same. The loader chooses which of them to load.
 */
#include "kernel.h"

#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>

#include "record.h"
#include "rule.h"
#include "table.gen.h"
#include "maps.h"
#include "task.h"
#include "object.h"
#include "digest.h"
#include "memory.h"
#include "mapping.h"
#include "overlap.h"
#include "message.h"
#include "kernelcopy.h"
#include "gate.h"
#include "pushdown.h"
#include "flood.h"
#include "repeat.h"
#include "program.h"
#include "call.h"
#include "hook_tracepoint.h"
#include "hook_kprobe.h"
#include "hook_fentry.h"

char LICENSE[] SEC("license") = "GPL";

/*
 * The end of a thread, and of its entry. A call that is still under way is one in
 * which the thread died by a fault in the kernel, for a signal lets it return
 * first; or, watched at a function, one whose return was missed.
 */
SEC("?raw_tp/sched_process_exit")
int sched_process_exit(struct bpf_raw_tracepoint_args *ctx)
{
	__u32 tid = BPF_CORE_READ((struct task_struct *)ctx->args[0], pid);
	struct inflight *call = bpf_map_lookup_elem(&threads, &tid);

	if (!call)
		return 0;
	if (call->active && is_at_tracepoint(&call->record)) {
		call->record.flags |= RECORD_UNFINISHED;
		leave_space(call, 0);
		forget_message(call);
		note_end(call);
		if (pushdown)
			open_every_gate(call);
		emit(call);
	} else if (call->active) {
		miss_return(call);
	}
	bpf_map_delete_elem(&threads, &tid);
	return 0;
}
