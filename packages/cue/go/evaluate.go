package main

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"cuelang.org/go/cue"
	"cuelang.org/go/cue/cuecontext"
	"cuelang.org/go/cue/inject/embed"
)

// Evaluate does one request and gives the JSON that answers it: {"failure": Failure} or the parts of a Result.
func Evaluate(request Request, files Files) []byte {
	view := NewView(files)
	columns := newColumns(view)
	package_, failure := loadPackage(request, view)
	if failure == nil {
		var answer []byte
		if answer, failure = evaluatePackage(request, package_, columns); failure == nil {
			return answer
		}
	}
	answer, err := json.Marshal(map[string]any{"failure": columns.fixFailure(failure)})
	if err != nil {
		panic(fmt.Sprintf("a failure that cannot be encoded: %v", err))
	}
	return answer
}

func evaluatePackage(request Request, package_ *loaded, columns *columns) ([]byte, *Failure) {
	context := cuecontext.New(cuecontext.WithInjection(embed.New()))
	value := context.BuildInstance(package_.instance)
	if err := value.Validate(cue.Concrete(true), cue.Final()); err != nil {
		return nil, placed(failureOf("evaluation", err), value)
	}
	export := newExport(value, request.OutputBytes)
	data, failure := export.run()
	if failure != nil {
		return nil, placed(failure, value)
	}
	return export.encode(package_, data, columns)
}

// placed gives problems without a position, such as cycles, that of the value or of what is around it.
func placed(failure *Failure, top cue.Value) *Failure {
	for index := range failure.Problems {
		problem := &failure.Problems[index]
		for length := len(problem.Path); length > 0 && len(problem.Positions) == 0; length-- {
			var selectors []cue.Selector
			for _, label := range problem.Path[:length] {
				switch number, err := strconv.Atoi(label); {
				case err == nil:
					selectors = append(selectors, cue.Index(number))
				case strings.HasPrefix(label, "#"):
					selectors = append(selectors, cue.Def(label))
				default:
					selectors = append(selectors, cue.Str(label))
				}
			}
			value := top.LookupPath(cue.MakePath(selectors...))
			if position, ok := positionOf(value, value.Parts()); ok {
				problem.Positions = append(problem.Positions, position)
			}
		}
	}
	return failure
}
