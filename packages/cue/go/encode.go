package main

import (
	"encoding/json"
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
	for pointer, position := range export.positions {
		position = columns.fix(position)
		index, ok := indices[position.File]
		if !ok {
			index = len(result.Files)
			indices[position.File] = index
			result.Files = append(result.Files, position.File)
		}
		result.Positions[pointer] = [3]int{index, position.Line, position.Column}
	}
	for folder, labels := range package_.unknown {
		for _, label := range labels {
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
