package main

import (
	"encoding/json"
	"fmt"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"cuelang.org/go/cue"
)

// What stands in these fields becomes text in the end. Elsewhere a number is a number.
var textFields = map[string]bool{
	"args": true, "env": true, "customKeyComponents": true, "custom_key_components": true,
}

var plainNumber = regexp.MustCompile(`^-?\d+(?:\.\d+)?$`)

// writtenNumber gives a number as the text that it is, where a float64, which is all that a reader of JSON may have, is written otherwise: 3.10 is no 3.1, and
// of 123456789012345678 the last digits count.
func writtenNumber(value cue.Value, text []byte, at place) []byte {
	if kind := value.Kind(); !at.isText || kind != cue.IntKind && kind != cue.FloatKind || !plainNumber.Match(text) {
		return text
	}
	float, err := strconv.ParseFloat(string(text), 64)
	if err == nil && strconv.FormatFloat(float, 'f', -1, 64) == string(text) && math.Abs(float) < 1e21 {
		return text
	}
	return []byte(strconv.Quote(string(text)))
}

// isUsable reports whether a number has a form in JSON, and a value in those who read it: CUE has NaN, infinities and 1e400.
func isUsable(text []byte) bool {
	_, err := strconv.ParseFloat(string(text), 64)
	return err == nil && json.Valid(text)
}

// Digits of a number that are shown.
const longestNumber = 40

func unusableNumber(value cue.Value, text []byte, at place) *Failure {
	if len(text) > longestNumber {
		text = append(slices.Clone(text[:longestNumber]), "…"...)
	}
	problem := Problem{Message: fmt.Sprintf("%s is not a number that can be used", text)}
	if at.pointer != "" {
		for label := range strings.SplitSeq(at.pointer[1:], "/") {
			problem.Path = append(problem.Path, unescape(label))
		}
	}
	if position, ok := positionOf(value, value.Parts()); ok {
		problem.Positions = append(problem.Positions, position)
	}
	return &Failure{"evaluation", []Problem{problem}}
}
