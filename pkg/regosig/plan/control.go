package plan

import "github.com/open-policy-agent/opa/v1/ir"

// nested compiles blocks in a block.
func (c *compiler) nested(s *ir.BlockStmt) statement {
	blocks := c.blocks(s.Blocks)
	if len(blocks) == 1 {
		return blocks[0]
	}
	return func(e *Evaluator, f []Value) int {
		for _, b := range blocks {
			if code := b(e, f); code != next {
				return code
			}
		}
		return next
	}
}

// not compiles a negation: it is undefined if the end of its block is reached.
func (c *compiler) not(s *ir.NotStmt) statement {
	statements := c.statements(s.Block)
	return func(e *Evaluator, f []Value) int {
		if code := e.spend(len(statements)); code != next {
			return code
		}
		for _, s := range statements {
			if code := s(e, f); code != next {
				return leave(code)
			}
		}
		return stop
	}
}

// scan compiles an iteration. A break out of its block goes on with the next
// element, one further ends it.
func (c *compiler) scan(s *ir.ScanStmt) statement {
	source, key, value := c.read(s.Source), c.local(s.Key), c.local(s.Value)
	body := c.statements(s.Block)
	one := func(e *Evaluator, f []Value) int {
		if code := e.spend(len(body)); code != next {
			return code
		}
		for _, s := range body {
			if code := s(e, f); code != next {
				return leave(code)
			}
		}
		return next
	}
	return func(e *Evaluator, f []Value) int {
		v := source.value(f)
		if v.kind == kindNode {
			node := v.ref().node
			if node.isArray() {
				for i := range min(node.Len(e.source), len(node.Elements)) {
					f[key], f[value] = Int(int64(i)), node.Elements[i].value()
					if code := one(e, f); code != next {
						return leave(code)
					}
				}
				return next
			}
			v = e.whole(v)
		}
		switch v.kind {
		case kindArray:
			for i, element := range v.ref().vals {
				f[key], f[value] = Int(int64(i)), element
				if code := one(e, f); code != next {
					return leave(code)
				}
			}
		case kindObject:
			members := v.ref().sort()
			for i, k := range members.keys {
				f[key], f[value] = k, members.vals[i]
				if code := one(e, f); code != next {
					return leave(code)
				}
			}
		case kindSet:
			for _, element := range v.ref().sort().keys {
				f[key], f[value] = element, element
				if code := one(e, f); code != next {
					return leave(code)
				}
			}
		}
		return next
	}
}

// with compiles the replacement of the input, of data, or of a part of them.
func (c *compiler) with(s *ir.WithStmt) statement {
	local, value := c.local(s.Local), c.operand(s.Value)
	path := make([]Value, len(s.Path))
	for i, text := range s.Path {
		path[i] = String(c.text(text))
	}
	statements := c.statements(s.Block)
	return func(e *Evaluator, f []Value) int {
		if code := e.spend(len(statements)); code != next {
			return code
		}
		saved, remembered := f[local], e.memo
		replacement := value.value(f)
		if len(path) > 0 {
			replacement = e.upsert(e.whole(saved), path, e.whole(replacement))
		}
		f[local] = replacement
		e.memo = make([]memo, len(remembered))
		result := next
		for _, s := range statements {
			if code := s(e, f); code != next {
				result = code
				break
			}
		}
		f[local], e.memo = saved, remembered
		if result == next || result == stop {
			return result
		}
		return leave(result)
	}
}

// upsert is a copy of v with a member at path, which is not empty. What is on the
// way and no object is replaced by one.
func (e *Evaluator) upsert(v Value, path []Value, member Value) Value {
	if v.kind != kindObject {
		v = e.collect(kindObject)
	}
	v.freeze()
	members := v.changeable(e)
	if len(path) > 1 {
		member = e.upsert(v.Get(path[0]), path[1:], member)
	}
	members.put(path[0], member)
	return v
}
