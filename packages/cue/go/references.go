package main

import (
	"strconv"
	"strings"

	"cuelang.org/go/cue"
)

// The hidden field by which our schema makes a task's name travel with every copy of it.
var selfPath = cue.MakePath(cue.Hid("_self", schemaModule+"/schema"))

// conjuncts are the expressions that were unified to a value.
func conjuncts(value cue.Value) []cue.Value {
	operation, parts := value.Expr()
	if operation == cue.AndOp {
		return parts
	}
	return []cue.Value{value}
}

// referenceTargets are the paths in the package that a value refers to as a whole.
func referenceTargets(value cue.Value) (targets []cue.Path) {
	for _, part := range conjuncts(value) {
		root, path := part.ReferencePath()
		if !root.Exists() || path.Err() != nil || len(path.Selectors()) == 0 {
			continue
		}
		if instance := root.BuildInstance(); instance != nil && strings.HasPrefix(instance.ImportPath, schemaModule+"/") {
			continue
		}
		targets = append(targets, path)
	}
	return targets
}

// targetOf gives the pointer of what a struct or list refers to.
func (export *export) targetOf(value cue.Value) (pointer string, ok bool) {
	if kind := value.IncompleteKind(); kind != cue.StructKind && kind != cue.ListKind {
		return "", false
	}
	var visible string
	for _, path := range referenceTargets(value) {
		if task := export.aliases[path.String()]; task != "" {
			return task, true
		}
		if pointer, plain := pointerOf(path); plain {
			if export.isTask(pointer) {
				return pointer, true
			}
			visible = pointer
		}
	}
	if name, err := value.LookupPath(selfPath).String(); err == nil && name != "" {
		if pointer, ok := export.tasks[name]; ok {
			return pointer, true
		}
	}
	return visible, visible != ""
}

func (export *export) isTask(pointer string) bool {
	_, ok := export.nameOf(pointer)
	return ok
}

// nameOf gives the full name of the task at a pointer.
func (export *export) nameOf(pointer string) (string, bool) {
	if export.names == nil {
		export.names = map[string]string{}
		for name, pointer := range export.tasks {
			export.names[pointer] = name
		}
	}
	name, ok := export.names[pointer]
	return name, ok
}

// taskOfOutput names the task whose output the struct at a pointer stands for: the one it lies in, or the one that
// the reference names.
func (export *export) taskOfOutput(pointer string) (string, bool) {
	if target, ok := export.references[pointer]; ok {
		pointer = target
	}
	return export.nameOf(pointer[:strings.LastIndexByte(pointer, '/')])
}

// pointerOf turns a path of regular fields and indices into a pointer.
func pointerOf(path cue.Path) (string, bool) {
	var pointer strings.Builder
	for _, selector := range path.Selectors() {
		pointer.WriteByte('/')
		switch selector.Type() {
		case cue.StringLabel:
			pointer.WriteString(escape(selector.Unquoted()))
		case cue.IndexLabel:
			pointer.WriteString(strconv.Itoa(selector.Index()))
		default:
			return "", false
		}
	}
	return pointer.String(), true
}

// positionOf finds where the user wrote a field or an item.
func positionOf(value cue.Value) (Position, bool) {
	for _, part := range conjuncts(value) {
		if position := part.Pos(); position.IsValid() {
			if place := placeOf(position); !isOwnFile(place.File) {
				return place, true
			}
		}
	}
	if position := value.Pos(); position.IsValid() {
		if place := placeOf(position); !isOwnFile(place.File) {
			return place, true
		}
	}
	return Position{}, false
}
