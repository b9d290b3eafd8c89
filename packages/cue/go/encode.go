package main

import (
	"encoding/json"
	"maps"
	"slices"
)

// Result is what a successful evaluation hands back.
type Result struct {
	Package string          `json:"package"`
	Value   json.RawMessage `json:"value"`
	// Files that positions refer to by index.
	Files []string `json:"files"`
	// Positions: pointer -> file index, line, column (both from 1).
	Positions  map[string][3]int   `json:"positions"`
	References map[string]string   `json:"references"`
	Attributes map[string][]string `json:"attributes"`
	// Unknown definitions of cuenv's schemas that the package names, "schema.#X": they were taken as anything.
	Unknown []string `json:"unknown"`
	// Lossy: the value holds bytes or floats, which in JSON look like strings and integers.
	Lossy bool `json:"lossy"`
}

func (export *export) encode(package_ *loaded, value json.RawMessage, columns *columns) ([]byte, *Failure) {
	result := Result{
		Package: package_.packageName, Value: value, Files: []string{}, Unknown: []string{},
		Positions: map[string][3]int{}, References: export.references, Attributes: export.attributes, Lossy: export.lossy,
	}
	indices := map[string]int{}
	for _, position := range export.positions {
		indices[position.File] = 0
	}
	// In order, as everything in the answer: the same package has the same answer each time.
	result.Files = append(result.Files, slices.Sorted(maps.Keys(indices))...)
	for index, file := range result.Files {
		indices[file] = index
	}
	for pointer, position := range export.positions {
		position = columns.fix(position)
		result.Positions[pointer] = [3]int{indices[position.File], position.Line, position.Column}
	}
	for _, folder := range slices.Sorted(maps.Keys(package_.unknown)) {
		for _, label := range package_.unknown[folder] {
			result.Unknown = append(result.Unknown, folder+"."+label)
		}
	}
	answer, err := json.Marshal(result)
	if err != nil {
		return nil, failf("internal", "%v", err)
	}
	if len(answer) > export.limit {
		return nil, failf("output", "the result is larger than %d bytes", export.limit)
	}
	return answer, nil
}
