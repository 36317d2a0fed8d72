#include "call.h"
#include "say.h"

int unexpected;

long make(const char *form, long want, enum which which, const uword arguments[6])
{
	struct object object = {0};
	struct multiplexed m = {0};
	long result;

	find_before(which, arguments, &object);
	result = enter(which, arguments, &m);
	find_after(which, result, &object);

	say_call(form, which, arguments, result, &m, &object);
	judge(form, want, result);
	return result;
}

long operation(const char *form, long want, const struct multiplexed *m)
{
	struct multiplexed made = *m;
	long result = multiplex(&made);

	say_operation(form, &made);
	judge(form, want, result);
	return result;
}
