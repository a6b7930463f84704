// SPDX-License-Identifier: LGPL-2.1-or-later

// Holds an OpenAPI document, and what an API really sends and takes, against each other, with the public library
// kin-openapi (Debian: golang-github-getkin-kin-openapi-dev).
//
//	validate DOCUMENT < CASES
//
// Each line on stdin is JSON: an answer {"name", "method", "path", "status", "body"}, the path as the document has it,
// or a value that a schema must take or must refuse: {"name", "schema", "value", "good"}. Unlike the library by itself
// it asks that answers have no member that the document does not name.

package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"

	"github.com/getkin/kin-openapi/openapi3"
)

type testCase struct {
	Name, Method, Path, Schema string
	Status                     int
	Good                       bool
	Body, Value                interface{}
}

func schemaOfAnswer(doc *openapi3.T, c *testCase) (*openapi3.Schema, error) {
	item := doc.Paths[c.Path]
	if item == nil || item.Operations()[c.Method] == nil {
		return nil, fmt.Errorf("%s %s is not in the document", c.Method, c.Path)
	}
	responses := item.Operations()[c.Method].Responses
	response := responses.Get(c.Status)
	if response == nil && c.Status >= 400 {
		response = responses.Default()
	}
	if response == nil {
		return nil, fmt.Errorf("%s %s does not say that it may answer %d", c.Method, c.Path, c.Status)
	}
	media := response.Value.Content.Get("application/json")
	if media == nil {
		return nil, fmt.Errorf("%s %s does not say what the JSON of a %d is", c.Method, c.Path, c.Status)
	}
	return media.Schema.Value, nil
}

func check(doc *openapi3.T, c *testCase) error {
	if c.Schema != "" {
		ref := doc.Components.Schemas[c.Schema]
		if ref == nil {
			return fmt.Errorf("there is no schema %s", c.Schema)
		}
		err := ref.Value.VisitJSON(c.Value)
		if c.Good {
			return err
		}
		if err == nil {
			return fmt.Errorf("%s should refuse it, and does not", c.Schema)
		}
		return nil
	}
	schema, err := schemaOfAnswer(doc, c)
	if err != nil {
		return err
	}
	return schema.VisitJSON(c.Body, openapi3.VisitAsResponse(), openapi3.MultiErrors())
}

// What is not described must not be there, unless the document says that anything may be.
func close(ref *openapi3.SchemaRef, seen map[*openapi3.Schema]bool) {
	if ref == nil || ref.Value == nil || seen[ref.Value] {
		return
	}
	s := ref.Value
	seen[s] = true
	if len(s.Properties) > 0 && s.AdditionalProperties == nil && s.AdditionalPropertiesAllowed == nil {
		no := false
		s.AdditionalPropertiesAllowed = &no
	}
	close(s.Items, seen)
	for _, property := range s.Properties {
		close(property, seen)
	}
	for _, part := range s.AllOf {
		close(part, seen)
	}
}

func main() {
	loader := openapi3.NewLoader()
	doc, err := loader.LoadFromFile(os.Args[1])
	if err == nil {
		err = doc.Validate(loader.Context)
	}
	if err != nil {
		fmt.Println("FAILED: the document is not valid:", err)
		os.Exit(1)
	}

	seen := map[*openapi3.Schema]bool{}
	for _, ref := range doc.Components.Schemas {
		close(ref, seen)
	}

	failed, n := 0, 0
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 16*1024*1024)
	for lines.Scan() {
		var c testCase
		if err := json.Unmarshal(lines.Bytes(), &c); err != nil {
			fmt.Println("FAILED: a case is no JSON:", err)
			os.Exit(2)
		}
		n++
		if err := check(doc, &c); err != nil {
			fmt.Printf("FAILED: %s: %v\n", c.Name, err)
			failed++
		}
	}
	fmt.Printf("%d cases, %d failed\n", n, failed)
	if failed > 0 || lines.Err() != nil {
		os.Exit(1)
	}
}
