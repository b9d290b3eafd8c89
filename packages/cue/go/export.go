package main

import (
	"encoding/json"
	"strconv"
	"strings"

	"cuelang.org/go/cue"
)

// The nesting that may be handed back: far more than configuration has, and little enough for any JSON reader.
const maximumDepth = 200

// export walks a value that is known to be valid and concrete, and writes it as JSON. Along the way it notes what
// JSON loses. Pointers are RFC 6901.
type export struct {
	top        cue.Value
	limit      int
	out        []byte
	positions  map[string]Position
	references map[string]string
	attributes map[string][]string
	// aliases: a field elsewhere that a task, or all of them, is a reference to -> the pointer of that task, or "" when
	// several tasks are.
	aliases map[string]string
	// targets: what was referred to, by its pointer; hidden fields cannot be found by that alone.
	targets map[string]cue.Path
	// names: pointer of a task -> full name.
	names map[string]string
	// lossy: a value of a kind that JSON does not tell from another: bytes are strings there, and 1.0 is 1.
	lossy   bool
	failure *Failure
}

func newExport(top cue.Value, limit int) *export {
	return &export{
		top: top, limit: limit,
		positions: map[string]Position{}, references: map[string]string{}, attributes: map[string][]string{},
		names: map[string]string{}, aliases: map[string]string{}, targets: map[string]cue.Path{},
	}
}

func (export *export) run() (json.RawMessage, *Failure) {
	if tasks := export.top.LookupPath(cue.ParsePath("tasks")); tasks.Exists() {
		export.nameTasks(tasks, "/tasks", "", 0)
	}
	export.write(export.top, place{})
	if export.failure != nil {
		return nil, export.failure
	}
	return export.out, nil
}

// The field that tells our schema's output references from other structs.
var outputReferencePath = cue.ParsePath("cuenvOutputRef")

// place says where in the value the walk is.
type place struct {
	pointer string
	depth   int
	// role is what the value is, as far as tasks are concerned.
	role role
	// isItem: an item of a list.
	isItem bool
	// isText: a number is text in the end.
	isText bool
}

type role int

const (
	roleOther role = iota
	// roleTasks: a struct of tasks.
	roleTasks
	// roleTask: a task, a group or a sequence.
	roleTask
	// roleField: inside a field of a task.
	roleField
)

// Fields of a task that are not members of a group. `tasks` holds members.
var taskFields = map[string]bool{}

func init() {
	for name := range strings.FieldsSeq(`
		command args script shell scriptShell shellOptions description dependencies dependsOn workingDir dir env inputs outputs
		cache cacheKey cacheConfig cache_env cache_key cache_config working_dir depends_on timeout retry continueOnError params labels
		hermetic captures security capabilities runtime dagger type maxConcurrency stdout stderr exitCode name`) {
		taskFields[name] = true
	}
}

func (at place) field(name string) place {
	next := place{pointer: at.pointer + "/" + escape(name), depth: at.depth + 1}
	isField := at.role == roleTask || at.role == roleField
	next.isText = at.isText || isField && textFields[name] || at.pointer == "" && (name == "env" || name == "environment")
	switch {
	case at.pointer == "" && name == "tasks", at.role == roleTask && name == "tasks":
		next.role = roleTasks
	case at.role == roleTasks:
		next.role = roleTask
	case at.role == roleTask && !taskFields[name]:
		next.role = roleTask
	case at.role == roleTask, at.role == roleField:
		next.role = roleField
	}
	return next
}

func (at place) item(index int) place {
	next := place{at.pointer + "/" + strconv.Itoa(index), at.depth + 1, at.role, true, at.isText}
	if at.role == roleTasks {
		next.role = roleTask
	}
	return next
}

func escape(name string) string {
	return strings.ReplaceAll(strings.ReplaceAll(name, "~", "~0"), "/", "~1")
}

func unescape(label string) string {
	return strings.ReplaceAll(strings.ReplaceAll(label, "~1", "/"), "~0", "~")
}

// nameTasks finds every task and how it can be referred to.
func (export *export) nameTasks(value cue.Value, pointer, name string, depth int) {
	if depth > maximumDepth {
		return
	}
	at := place{pointer: pointer, role: roleTask}
	if name == "" {
		at.role = roleTasks
	} else {
		export.names[pointer] = name
	}
	if target, ok := export.plainTarget(value.Parts()); ok && !strings.HasPrefix(target, "/tasks/") {
		if _, taken := export.aliases[target]; taken {
			pointer = ""
		}
		export.aliases[target] = pointer
	}
	export.eachMember(value, at, name, func(member cue.Value, place place, name string) {
		export.nameTasks(member, place.pointer, name, depth+1)
	})
}

func (export *export) eachMember(value cue.Value, at place, name string, visit func(cue.Value, place, string)) {
	value, _ = value.Default()
	if items, err := value.List(); err == nil {
		for index := 0; items.Next(); index++ {
			visit(items.Value(), at.item(index), name+"["+strconv.Itoa(index)+"]")
		}
		return
	}
	fields, err := value.Fields()
	if err != nil {
		return
	}
	for fields.Next() {
		label := fields.Selector().Unquoted()
		next := at.field(label)
		full := label
		if name != "" {
			full = name + "." + label
		}
		switch kind := fields.Value().IncompleteKind(); {
		case kind != cue.StructKind && kind != cue.ListKind:
		case next.role == roleTask:
			visit(fields.Value(), next, full)
		case next.role == roleTasks:
			export.eachMember(fields.Value(), next, name, visit)
		}
	}
}

func (export *export) write(value cue.Value, at place) {
	if export.failure != nil {
		return
	}
	if at.depth > maximumDepth {
		export.failure = failf("depth", "values are nested more than %d deep, at %.40s…", maximumDepth, at.pointer)
		return
	}
	if len(export.out) > export.limit {
		export.failure = failf("output", "the result is larger than %d bytes", export.limit)
		return
	}
	if at.depth > 0 {
		parts := value.Parts()
		if position, ok := positionOf(value, parts); ok {
			export.positions[at.pointer] = position
		}
		if (at.role != roleOther || at.isItem) && export.writeReference(value, parts, at) {
			return
		}
	}
	for _, attribute := range value.Attributes(cue.FieldAttr) {
		export.attributes[at.pointer] = append(export.attributes[at.pointer], "@"+attribute.Name()+"("+attribute.Contents()+")")
	}
	value, _ = value.Default()
	switch value.Kind() {
	case cue.StructKind:
		export.writeStruct(value, at)
	case cue.ListKind:
		export.writeList(value, at)
	case cue.BottomKind:
		export.failure = failureOf("evaluation", value.Err())
		if len(export.failure.Problems) == 0 {
			export.failure = failf("evaluation", "%s: incomplete value %v", at.pointer, value)
		}
	default:
		if kind := value.Kind(); kind == cue.BytesKind || kind == cue.FloatKind {
			export.lossy = true
		}
		text, err := value.MarshalJSON()
		if err != nil {
			export.failure = failf("evaluation", "%s: %v", at.pointer, err)
			return
		}
		written := writtenNumber(value, text, at)
		if value.Kind()&cue.NumberKind != 0 && written[0] != '"' && !isUsable(written) {
			export.failure = unusableNumber(value, text, at)
			return
		}
		export.out = append(export.out, written...)
	}
}

// writeReference notes what a value refers to, and reports whether it wrote null in its place: a copy of a whole task holds
// copies of all that it depends on, and so on, so that the size of the result would be exponential.
func (export *export) writeReference(value cue.Value, parts []cue.Part, at place) bool {
	if kind := value.IncompleteKind(); kind != cue.StructKind && kind != cue.ListKind {
		return false
	}
	target, ok := export.plainTarget(parts)
	isMember := at.role == roleTask || at.role == roleTasks
	if !isMember {
		target = export.resolved(target)
	}
	if !ok || target == at.pointer || (at.role == roleOther && !export.isTask(target)) {
		return false
	}
	export.references[at.pointer] = target
	if !export.isTask(target) || (isMember && !isOnlyReference(parts)) {
		return false
	}
	export.out = append(export.out, "null"...)
	return true
}

func (export *export) writeStruct(value cue.Value, at place) {
	fields, err := value.Fields()
	if err != nil {
		export.failure = failureOf("evaluation", value.Err())
		return
	}
	isReference := value.LookupPath(outputReferencePath).Exists()
	export.out = append(export.out, '{')
	first := true
	for fields.Next() {
		name := fields.Selector().Unquoted()
		if at.role == roleTask && isOwnOutput(name, fields.Value()) {
			continue
		}
		if !first {
			export.out = append(export.out, ',')
		}
		first = false
		label, _ := json.Marshal(name)
		export.out = append(append(export.out, label...), ':')
		if isReference && name == "cuenvTask" {
			if task, ok := export.taskOfOutput(at.pointer); ok {
				text, _ := json.Marshal(task)
				export.out = append(export.out, text...)
				continue
			}
		}
		export.write(fields.Value(), at.field(name))
	}
	export.out = append(export.out, '}')
}

func (export *export) writeList(value cue.Value, at place) {
	items, err := value.List()
	if err != nil {
		export.failure = failureOf("evaluation", value.Err())
		return
	}
	export.out = append(export.out, '[')
	for index := 0; items.Next(); index++ {
		if index > 0 {
			export.out = append(export.out, ',')
		}
		export.write(items.Value(), at.item(index))
	}
	export.out = append(export.out, ']')
}

// isOwnOutput reports whether a field is what our schema adds to every task, so that others can refer to it.
func isOwnOutput(name string, value cue.Value) bool {
	if name != "stdout" && name != "stderr" && name != "exitCode" {
		return false
	}
	_, written := positionOf(value, value.Parts())
	return !written
}
