package main

import (
	"strconv"
	"strings"

	"cuelang.org/go/cue/ast"
	"cuelang.org/go/cue/ast/astutil"
	"cuelang.org/go/cue/parser"
)

// Our own schema is laid over the project as packages below this path, which nobody publishes.
const schemaModule = "cuenv.internal"

// The import paths that existing files use, and the package of ours that answers to each. The last elements are
// equal, so that the names by which files refer to them stay what they are.
var ownPackages = map[string]string{
	"github.com/rawkode/cuenv":              schemaModule + "/cuenv",
	"github.com/rawkode/cuenv/schema":       schemaModule + "/legacy/schema",
	"github.com/cuenv/cuenv":                schemaModule + "/cuenv",
	"github.com/cuenv/cuenv/schema":         schemaModule + "/schema",
	"github.com/cuenv/cuenv/schema/rules":   schemaModule + "/rules",
	"github.com/cuenv/cuenv/schema/codegen": schemaModule + "/codegen",
}

// What cuenv publishes beside its schemas, one package for each subject. Ours answer unless the project has them itself.
const (
	contribPath   = "github.com/cuenv/cuenv/contrib/"
	contribFolder = "contrib/"
)

// importRewriter parses files for the loader and points their imports of cuenv's schemas to ours. It notes the
// definitions that they name and that ours does not have.
type importRewriter struct {
	// known definitions by package, "schema" -> "#Task" -> true.
	known map[string]map[string]bool
	// unknown definitions by package, in the order met.
	unknown map[string][]string
	// defineUnknown gives the unknown definitions of a package a meaning: anything.
	defineUnknown func(folder string, labels []string)
	// isHere reports whether the project has the files of an import path itself.
	isHere func(importPath string) bool
	// opens: our schema is part of the package, and users' closed structs have to take what it adds to tasks.
	opens bool
}

func (rewriter *importRewriter) parseFile(name string, src any, cfg parser.Config) (*ast.File, error) {
	file, err := parser.ParseFile(name, src, cfg)
	if file == nil {
		return file, err
	}
	if rewriter.opens && !isOwnFile(name) {
		openForOutputs(file)
	}
	ours := map[string]string{}
	for spec := range file.ImportSpecs() {
		asked, unquoteError := strconv.Unquote(spec.Path.Value)
		if unquoteError != nil {
			continue
		}
		target, ok := rewriter.ownPackage(ast.ParseImportPath(asked).Path)
		if !ok {
			continue
		}
		spec.Path.Value = strconv.Quote(target)
		_, folder, _ := strings.Cut(target, "/")
		local := ast.ParseImportPath(target).Qualifier
		if spec.Name != nil {
			local = spec.Name.Name
		}
		ours[local] = folder
	}
	if len(ours) > 0 {
		rewriter.noteUnknown(file, ours)
		for _, folder := range ours {
			// A package of which we have nothing is one of what is asked of it.
			if labels := rewriter.unknown[folder]; len(labels) > 0 || rewriter.known[folder] == nil {
				rewriter.defineUnknown(folder, labels)
			}
		}
	}
	return file, err
}

// ownPackage gives the package of ours that answers to an import path.
func (rewriter *importRewriter) ownPackage(asked string) (string, bool) {
	if target, ok := ownPackages[asked]; ok {
		return target, true
	}
	subject, ok := strings.CutPrefix(asked, contribPath)
	if !ok || subject == "" || rewriter.isHere(asked) {
		return "", false
	}
	return schemaModule + "/" + contribFolder + subject, true
}

func (rewriter *importRewriter) noteUnknown(file *ast.File, ours map[string]string) {
	astutil.Apply(file, func(cursor astutil.Cursor) bool {
		selector, ok := cursor.Node().(*ast.SelectorExpr)
		if !ok {
			return true
		}
		ident, ok := selector.X.(*ast.Ident)
		if !ok {
			return true
		}
		folder, ok := ours[ident.Name]
		label, isIdent := selector.Sel.(*ast.Ident)
		if !ok || !isIdent || !strings.HasPrefix(label.Name, "#") || rewriter.known[folder][label.Name] {
			return true
		}
		// A near miss of a definition of ours is more likely a slip of the pen: it stays an error.
		for known := range rewriter.known[folder] {
			if near(label.Name, known) {
				return true
			}
		}
		if rewriter.known[folder] == nil {
			rewriter.known[folder] = map[string]bool{}
		}
		rewriter.known[folder][label.Name] = true
		rewriter.unknown[folder] = append(rewriter.unknown[folder], label.Name)
		return true
	}, nil)
}

// near reports whether two names differ in at most a quarter of their letters (and never more than two).
func near(a, b string) bool {
	limit := min(2, max(1, len(a)/4))
	if len(a)-len(b) > limit || len(b)-len(a) > limit {
		return false
	}
	var beforePrevious []int
	previous := make([]int, len(b)+1)
	for column := range previous {
		previous[column] = column
	}
	for row := 1; row <= len(a); row++ {
		current := make([]int, len(b)+1)
		current[0] = row
		for column := 1; column <= len(b); column++ {
			cost := 1
			if strings.EqualFold(a[row-1:row], b[column-1:column]) {
				cost = 0
			}
			current[column] = min(current[column-1]+1, previous[column]+1, previous[column-1]+cost)
			// Two letters that changed places are one slip.
			if row > 1 && column > 1 && a[row-1] == b[column-2] && a[row-2] == b[column-1] {
				current[column] = min(current[column], beforePrevious[column-2]+1)
			}
		}
		beforePrevious, previous = previous, current
	}
	return previous[len(b)] <= limit
}
