// kstatus says how Flux and Helm read the status of objects: a JSON list of objects comes in,
// a list of {"status": ..., "message": ...} goes out, in the same order.
package main

import (
	"encoding/json"
	"log"
	"os"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/cli-utils/pkg/kstatus/status"
)

type answer struct {
	Status  string `json:"status"`
	Message string `json:"message"`
}

func main() {
	log.SetFlags(0)
	var raw []json.RawMessage
	if err := json.NewDecoder(os.Stdin).Decode(&raw); err != nil {
		log.Fatalf("kstatus: a JSON list of objects is wanted: %v", err)
	}
	answers := make([]answer, 0, len(raw))
	for number, text := range raw {
		var object unstructured.Unstructured
		if err := object.UnmarshalJSON(text); err != nil {
			log.Fatalf("kstatus: object %d: %v", number, err)
		}
		found, err := status.Compute(&object)
		if err != nil {
			log.Fatalf("kstatus: object %d: %v", number, err)
		}
		answers = append(answers, answer{found.Status.String(), found.Message})
	}
	if err := json.NewEncoder(os.Stdout).Encode(answers); err != nil {
		log.Fatalf("kstatus: %v", err)
	}
}
