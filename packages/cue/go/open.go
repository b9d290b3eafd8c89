package main

import (
	"strings"

	"cuelang.org/go/cue/ast"
	"cuelang.org/go/cue/token"
)

// What our schema adds to every task.
var outputNames = []string{"stdout", "stderr", "exitCode"}

// openForOutputs lets the closed structs of a user's file have what our schema adds to every task: else a task that is a definition of his own, which does
// not know of our schema, could not be referred to.
func openForOutputs(file *ast.File) {
	opener := &opener{}
	ast.Walk(file, opener.enter, opener.leave)
}

type opener struct {
	// closed says of each node on the way that decides it whether structs in it are closed: the innermost counts.
	closed []bool
}

func (opener *opener) enter(node ast.Node) bool {
	if closes, decides := closesStructs(node); decides {
		opener.closed = append(opener.closed, closes || opener.isClosed() && !isCall(node))
	}
	if literal, ok := node.(*ast.StructLit); ok && opener.isClosed() && isSurelyStruct(literal) {
		literal.Elts = append(literal.Elts, outputFields()...)
	}
	return true
}

func (opener *opener) leave(node ast.Node) {
	if _, decides := closesStructs(node); decides {
		opener.closed = opener.closed[:len(opener.closed)-1]
	}
}

func (opener *opener) isClosed() bool {
	return len(opener.closed) > 0 && opener.closed[len(opener.closed)-1]
}

// closesStructs: a definition and `close` do; what another function is called with is data, and stays as it is.
func closesStructs(node ast.Node) (closes, decides bool) {
	switch node := node.(type) {
	case *ast.Field:
		return isDefinition(node.Label), true
	case *ast.CallExpr:
		name, ok := node.Fun.(*ast.Ident)
		return ok && name.Name == "close", true
	}
	return false, false
}

func isCall(node ast.Node) bool {
	_, ok := node.(*ast.CallExpr)
	return ok
}

func isDefinition(label ast.Label) bool {
	name, isIdent, err := ast.LabelName(label)
	return err == nil && isIdent && (strings.HasPrefix(name, "#") || strings.HasPrefix(name, "_#"))
}

// isSurelyStruct: braces may hold a number or a list as well, and patterns alone would be for our fields, too.
func isSurelyStruct(literal *ast.StructLit) bool {
	isStruct := false
	for _, element := range literal.Elts {
		switch element := element.(type) {
		case *ast.Ellipsis:
			return false // it is open
		case *ast.Field:
			name, _, err := ast.LabelName(element.Label)
			isStruct = isStruct || err == nil && name != "" && name[0] != '#' && name[0] != '_'
		}
	}
	return isStruct
}

// outputFields are quoted: a reference `stdout` in a struct means what it did.
func outputFields() []ast.Decl {
	var fields []ast.Decl
	for _, name := range outputNames {
		fields = append(fields, &ast.Field{
			Label:      ast.NewString(name),
			Constraint: token.OPTION,
			Value:      ast.NewIdent("_"),
		})
	}
	return fields
}
