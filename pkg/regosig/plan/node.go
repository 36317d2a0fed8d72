package plan

import "slices"

// Node is a part of the input that is not there as a value. The evaluator asks
// it for the members that a query names, and for the whole only where a query
// uses it as one: compares it, iterates over it, passes it to a built-in.
//
// Nodes describe the input of all evaluations; what they read is passed to them:
// source is what was given to Evaluator.Eval. They must not change after Compile.
type Node struct {
	// Members are those of an object. What is not among them is undefined.
	Members map[string]*Member
	// Elements are those of an array, of which Len are there. Elements and Members
	// exclude each other.
	Elements []*Node
	Len      func(source any) int
	// Whole builds the value.
	Whole func(source any) Value

	self  collection // so that a Value can refer to the node
	keys  []Value    // of Members, in order
	array *Node      // of which the node is the element number index, or nil
	index int
}

// Member is how one member of an object is read.
type Member struct {
	// Read returns the member, undefined if it is not there. Nil if Node is set
	// and the member is always there.
	Read func(source any) Value
	// Node is the member where it is an object or an array of which parts can be
	// read; then Read says by Null that it is there. It may return an object or an
	// array instead, as the member itself.
	Node *Node
}

// value refers to the node.
func (n *Node) value() Value {
	return collected(kindNode, &n.self)
}

// prepare makes the node and all below it usable.
func (n *Node) prepare() {
	if n == nil || n.self.node != nil {
		return
	}
	n.self.node = n
	for name, m := range n.Members {
		n.keys = append(n.keys, String(name))
		m.Node.prepare()
	}
	slices.SortFunc(n.keys, Compare)
	for i, e := range n.Elements {
		e.prepare()
		e.array, e.index = n, i
	}
}

// shape is the kind of the value, or of what a node stands for.
func (v *Value) shape() kind {
	switch {
	case v.kind != kindNode:
		return v.kind
	case v.ref().node.isArray():
		return kindArray
	default:
		return kindObject
	}
}

// Read is an object of all members that are there, valid until the next evaluation.
func (n *Node) Read(e *Evaluator, source any) Value {
	object := e.collect(kindObject)
	for _, key := range n.keys {
		m := n.Members[key.str()].read(source)
		if m.kind == kindNode {
			m = m.ref().node.Whole(source)
		}
		if m.Defined() {
			object.ref().keys, object.ref().vals = append(object.ref().keys, key), append(object.ref().vals, m)
		}
	}
	return object
}

// isArray tells whether the node stands for an array.
func (n *Node) isArray() bool { return n.Len != nil }

// get is Value.Get for the node.
func (n *Node) get(key Value, source any) Value {
	if n.isArray() {
		if i := key.num; key.kind == kindInt && i >= 0 && i < int64(n.Len(source)) {
			return n.Elements[i].value()
		}
		if key.kind == kindNumber {
			return n.Whole(source).Get(key)
		}
		return Value{}
	}
	if key.kind != kindString {
		return Value{}
	}
	return n.Members[key.str()].read(source)
}

// read is the member's value, which may be a node.
func (m *Member) read(source any) Value {
	if m == nil {
		return Value{}
	}
	if m.Node == nil {
		return m.Read(source)
	}
	if m.Read != nil {
		if v := m.Read(source); v.kind != kindNull {
			return v
		}
	}
	return m.Node.value()
}
