package main

import (
	"strconv"
	"strings"

	"cuelang.org/go/cue"
)

// plainTarget gives the pointer of the field of the package that a value refers to as a whole.
func (export *export) plainTarget(parts []cue.Part) (string, bool) {
	for _, part := range parts {
		root, path := part.Root, part.Path
		if !root.Exists() || path.Err() != nil || len(path.Selectors()) == 0 {
			continue
		}
		if instance := root.BuildInstance(); instance != nil && instance != export.top.BuildInstance() {
			continue // it is another package's
		}
		if pointer, ok := pointerOf(path); ok {
			export.targets[pointer] = path
			return pointer, true
		}
	}
	return "", false
}

// resolved gives the pointer below /tasks of what lies elsewhere, if a task, or all of them, is that.
func (export *export) resolved(pointer string) string {
	if strings.HasPrefix(pointer, "/tasks/") {
		return pointer
	}
	for end := len(pointer); end > 0; end = strings.LastIndexByte(pointer[:end], '/') {
		if task := export.aliases[pointer[:end]]; task != "" {
			return task + pointer[end:]
		}
	}
	return export.followed(pointer, 0)
}

// followed resolves a field that is nothing but a reference, `_t: tasks`: what it names lies below /tasks then.
func (export *export) followed(pointer string, depth int) string {
	path, ok := export.targets[pointer]
	if !ok || depth > maximumSteps || pointer == "" || strings.HasPrefix(pointer, "/tasks/") {
		return pointer
	}
	selectors := path.Selectors()
	for length := 1; length <= len(selectors); length++ {
		field := cue.MakePath(selectors[:length]...)
		parts := export.top.LookupPath(field).Parts()
		target, ok := export.plainTarget(parts)
		if !ok || !isOnlyReference(parts) {
			continue
		}
		rest := cue.MakePath(append(export.targets[target].Selectors(), selectors[length:]...)...)
		if named, ok := pointerOf(rest); ok {
			export.targets[named] = rest
			if found := export.followed(named, depth+1); strings.HasPrefix(found, "/tasks/") {
				return found
			}
		}
	}
	return pointer
}

// More fields that refer to one another than anybody puts in a row.
const maximumSteps = 20

func (export *export) isTask(pointer string) bool {
	_, ok := export.names[pointer]
	return ok
}

// taskOfOutput names the task whose output the struct at a pointer stands for: the one it lies in, or the one that
// the reference names.
func (export *export) taskOfOutput(pointer string) (string, bool) {
	if target, ok := export.references[pointer]; ok {
		pointer = target
	}
	name, ok := export.names[pointer[:strings.LastIndexByte(pointer, '/')]]
	return name, ok
}

// pointerOf turns a path into a pointer; hidden fields and definitions keep their names, `/_service/tasks/build`, although
// a result does not have them.
func pointerOf(path cue.Path) (string, bool) {
	var pointer strings.Builder
	for _, selector := range path.Selectors() {
		pointer.WriteByte('/')
		switch selector.Type() {
		case cue.StringLabel:
			pointer.WriteString(escape(selector.Unquoted()))
		case cue.HiddenLabel, cue.DefinitionLabel, cue.HiddenDefinitionLabel:
			pointer.WriteString(escape(selector.String()))
		case cue.IndexLabel:
			pointer.WriteString(strconv.Itoa(selector.Index()))
		default:
			return "", false
		}
	}
	return pointer.String(), true
}

// isOnlyReference reports whether the user wrote nothing but one reference.
func isOnlyReference(parts []cue.Part) bool {
	written := 0
	for _, part := range parts {
		if position := part.Pos; position.IsValid() && !isOwnFile(placeOf(position).File) {
			written++
		}
	}
	return written == 1
}

// positionOf finds where the user wrote a field or an item.
func positionOf(value cue.Value, parts []cue.Part) (Position, bool) {
	for _, part := range parts {
		if position := part.Pos; position.IsValid() {
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
