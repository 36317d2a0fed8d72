package plan

import "slices"

func intersection(e *Evaluator, args []Value) Value {
	if args[0].kind != kindSet || args[1].kind != kindSet {
		return Value{}
	}
	both := e.collect(kindSet)
	for _, element := range args[0].ref().keys {
		if args[1].ref().find(element) >= 0 {
			both.ref().appendKey(element)
		}
	}
	return both
}

func union(e *Evaluator, args []Value) Value {
	if args[0].kind != kindSet || args[1].kind != kindSet {
		return Value{}
	}
	all := args[0].freeze()
	set := all.changeable(e)
	for _, element := range args[1].ref().keys {
		set.add(element)
	}
	return all
}

func arrayConcat(e *Evaluator, args []Value) Value {
	if args[0].kind != kindArray || args[1].kind != kindArray {
		return Value{}
	}
	all := e.collect(kindArray)
	all.ref().vals = append(append(all.ref().vals, args[0].ref().vals...), args[1].ref().vals...)
	return all
}

func arrayReverse(e *Evaluator, args []Value) Value {
	if args[0].kind != kindArray {
		return Value{}
	}
	reversed := e.collect(kindArray)
	reversed.ref().vals = append(reversed.ref().vals, args[0].ref().vals...)
	slices.Reverse(reversed.ref().vals)
	return reversed
}

func objectGet(_ *Evaluator, args []Value) Value {
	object, path, found := args[0], args[1], Value{}
	if object.kind != kindObject {
		return Value{}
	}
	if path.kind != kindArray {
		found = object.Get(path)
	} else {
		found = object
		for _, key := range path.ref().vals {
			found = found.Get(key)
		}
	}
	if !found.Defined() {
		return args[2]
	}
	return found
}

func objectUnion(e *Evaluator, args []Value) Value {
	if args[0].kind != kindObject || args[1].kind != kindObject {
		return Value{}
	}
	return e.overwrite(args[0], args[1])
}

// overwrite is the union of two objects, in which the second one's members win
// where not both have an object.
func (e *Evaluator) overwrite(a, b Value) Value {
	if a.kind != kindObject || b.kind != kindObject {
		return b
	}
	first, second := a.ref().sort(), b.ref().sort()
	union := e.collect(kindObject)
	all := union.ref()
	i := 0
	for j := range second.keys {
		key, value := second.keys[j], second.vals[j]
		for ; i < len(first.keys) && compare(&first.keys[i], &key) < 0; i++ {
			all.keys, all.vals = append(all.keys, first.keys[i]), append(all.vals, first.vals[i])
		}
		if i < len(first.keys) && equal(&first.keys[i], &key) {
			value = e.overwrite(first.vals[i], value)
			i++
		}
		all.keys, all.vals = append(all.keys, key), append(all.vals, value)
	}
	all.keys, all.vals = append(all.keys, first.keys[i:]...), append(all.vals, first.vals[i:]...)
	return union
}

// filterOf compiles object.filter: no more of a node is read than what is asked for.
func filterOf(object, keys operand, result int, general statement) statement {
	return func(e *Evaluator, f []Value) int {
		v, wanted := object.place(f), keys.place(f)
		if v.kind != kindNode || v.ref().node.isArray() || wanted.kind != kindArray {
			return general(e, f)
		}
		filtered := e.collect(kindObject)
		for i := range wanted.ref().vals {
			key := wanted.ref().vals[i]
			if member := e.whole(e.get(v, key)); member.Defined() {
				filtered.ref().put(key, member)
			}
		}
		return e.made(filtered, &f[result])
	}
}

func objectFilter(e *Evaluator, args []Value) Value {
	object, filter := args[0], args[1]
	if object.kind != kindObject {
		return Value{}
	}
	wanted := filter
	switch filter.kind {
	case kindArray:
		wanted = e.collect(kindSet)
		for _, key := range filter.ref().vals {
			wanted.ref().add(key)
		}
	case kindSet, kindObject:
	default:
		return Value{}
	}
	filtered := e.collect(kindObject)
	for i, key := range object.ref().keys {
		if wanted.ref().find(key) >= 0 {
			filtered.ref().put(key, object.ref().vals[i])
		}
	}
	return filtered
}

func objectKeys(e *Evaluator, args []Value) Value {
	if args[0].kind != kindObject {
		return Value{}
	}
	keys := e.collect(kindSet)
	for _, key := range args[0].ref().keys {
		keys.ref().appendKey(key)
	}
	return keys
}
