package observe

import (
	"encoding/hex"
	"math/rand/v2"
	"strings"
)

// trace is the W3C trace context of one request; a span id is made even when no span is recorded.
type trace struct{ traceID, spanID, parentID string }

// parse reads a traceparent header of version 00; without a valid one it starts a trace.
func parse(header string) trace {
	// 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01
	if len(header) == 55 && header[:3] == "00-" && header[35] == '-' && header[52] == '-' {
		traceID, parentID := header[3:35], header[36:52]
		if lowerHex(traceID) && lowerHex(parentID) && lowerHex(header[53:]) {
			return trace{traceID, randomHex(8), parentID}
		}
	}
	return trace{traceID: randomHex(16), spanID: randomHex(8)}
}

func randomHex(size int) string {
	var raw [16]byte
	for at := 0; at < size; at += 8 {
		bits := rand.Uint64()
		for i := range 8 {
			raw[at+i] = byte(bits >> (8 * i))
		}
	}
	return hex.EncodeToString(raw[:size])
}

// lowerHex says whether text is lower-case hexadecimal and not all zeros, or a flags byte.
func lowerHex(text string) bool {
	for i := range len(text) {
		if c := text[i]; (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return len(text) == 2 || strings.Trim(text, "0") != ""
}
