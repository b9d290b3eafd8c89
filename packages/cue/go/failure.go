package main

import (
	"fmt"
	"slices"
	"strings"

	"cuelang.org/go/cue/ast"
	"cuelang.org/go/cue/errors"
	"cuelang.org/go/cue/token"
)

// Failure says why there is no result. Kinds: syntax, package, ambiguous, read, load, evaluation, output.
type Failure struct {
	Kind     string    `json:"kind"`
	Problems []Problem `json:"problems"`
}

// Problem is one error of CUE's.
type Problem struct {
	Message string `json:"message"`
	// Path of the value, when it has one.
	Path []string `json:"path,omitempty"`
	// Positions in the user's files, the best one first.
	Positions []Position `json:"positions,omitempty"`
	// SchemaPositions are those in our own schema: then it was the schema that was broken.
	SchemaPositions []Position `json:"schemaPositions,omitempty"`
}

type Position struct {
	File   string `json:"file"`
	Line   int    `json:"line"`
	Column int    `json:"column"`
}

// More than anybody reads.
const maximumProblems = 50

func failf(kind, format string, arguments ...any) *Failure {
	return &Failure{kind, []Problem{{Message: fmt.Sprintf(format, arguments...)}}}
}

func failureOf(kind string, err error) *Failure {
	failure := &Failure{Kind: kind, Problems: []Problem{}}
	for _, each := range errors.Errors(err) {
		if len(failure.Problems) == maximumProblems {
			break
		}
		failure.Problems = append(failure.Problems, problemOf(each))
	}
	return failure
}

func problemOf(err errors.Error) Problem {
	problem := Problem{Message: messageOf(err)}
	for _, label := range err.Path() {
		problem.Path = append(problem.Path, unquoteLabel(label))
	}
	for _, position := range errors.Positions(err) {
		if !position.IsValid() {
			continue
		}
		place := placeOf(position)
		if isOwnFile(place.File) {
			problem.SchemaPositions = append(problem.SchemaPositions, place)
		} else if !slices.Contains(problem.Positions, place) {
			problem.Positions = append(problem.Positions, place)
		}
	}
	return problem
}

// CUE quotes the values that are in conflict, whole. What they are comes last.
const (
	longestMessage = 600
	messageHead    = 300
	messageTail    = 200
)

// publicNames puts the import paths that users write back in the place of ours.
var publicNames = strings.NewReplacer(
	`"`+schemaModule+`/legacy/schema"`, `"github.com/rawkode/cuenv/schema"`,
	`"`+schemaModule+`/schema"`, `"github.com/cuenv/cuenv/schema"`,
	`"`+schemaModule+`/cuenv"`, `"github.com/rawkode/cuenv"`,
	`"`+schemaModule+`/rules"`, `"github.com/cuenv/cuenv/schema/rules"`,
	`"`+schemaModule+`/codegen"`, `"github.com/cuenv/cuenv/schema/codegen"`,
	`"`+schemaModule+`/`+contribFolder, `"`+contribPath,
)

func messageOf(err errors.Error) string {
	format, arguments := err.Msg()
	message := fmt.Sprintf(format, arguments...)
	if inner := errors.Unwrap(err); inner != nil {
		message = strings.TrimSuffix(message+": "+inner.Error(), ": ")
	}
	message = publicNames.Replace(message)
	if len(message) > longestMessage {
		head, tail := message[:messageHead], message[len(message)-messageTail:]
		message = strings.ToValidUTF8(head, "") + " … " + strings.ToValidUTF8(tail, "")
	}
	return message
}

func placeOf(position token.Pos) Position {
	place := position.Position()
	return Position{place.Filename, place.Line, place.Column}
}

func isOwnFile(file string) bool {
	return strings.Contains(file, "/cue.mod/pkg/"+schemaModule+"/") || strings.HasSuffix(file, "/"+constraintFile)
}

func unquoteLabel(label string) string {
	if strings.HasPrefix(label, `"`) {
		if name, _, err := ast.LabelName(ast.NewLit(token.STRING, label)); err == nil {
			return name
		}
	}
	return label
}
