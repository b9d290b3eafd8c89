package main

import (
	"encoding/json"
	"fmt"

	"cuelang.org/go/cue"
	"cuelang.org/go/cue/cuecontext"
	"cuelang.org/go/cue/inject/embed"
)

// Evaluate does one request and gives the JSON that answers it: {"failure": Failure} or the parts of a Result.
func Evaluate(request Request, files Files) []byte {
	package_, failure := loadPackage(request, files)
	if failure == nil {
		var answer []byte
		if answer, failure = evaluatePackage(request, package_); failure == nil {
			return answer
		}
	}
	answer, err := json.Marshal(map[string]any{"failure": failure})
	if err != nil {
		panic(fmt.Sprintf("a failure that cannot be encoded: %v", err))
	}
	return answer
}

func evaluatePackage(request Request, package_ *loaded) ([]byte, *Failure) {
	context := cuecontext.New(cuecontext.WithInjection(embed.New()))
	value := context.BuildInstance(package_.instance)
	if err := value.Err(); err != nil {
		return nil, failureOf("evaluation", err)
	}
	if err := value.Validate(cue.Concrete(true), cue.Final()); err != nil {
		return nil, failureOf("evaluation", err)
	}
	export := newExport(value, request.OutputBytes)
	data, failure := export.run()
	if failure != nil {
		return nil, failure
	}
	return export.encode(package_, data)
}
