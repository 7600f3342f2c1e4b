// Command load is the load generator where wrk is missing: keep-alive connections, each of which
// sends its next request when the last is answered. It prints one line of JSON, as load.lua does.
package main

import (
	"bufio"
	"crypto/tls"
	"flag"
	"fmt"
	"log"
	"math/rand/v2"
	"os"
	"slices"
	"sync"
	"syscall"
	"time"

	"github.com/google/uuid"
	"github.com/valyala/fasthttp"
)

var (
	url         = flag.String("url", "", "where the server is")
	question    = flag.String("question", "", "create, keyed, read, mix (every fifth a POST) or livez")
	idsFile     = flag.String("ids", "", "file of existing ids, one a line")
	connections = flag.Int("connections", 64, "how many connections")
	token       = flag.String("token", "", "a bearer token for each request")
	seconds     = flag.Float64("seconds", 4, "how long")
	timeout     = flag.Duration("timeout", 10*time.Second, "for one request")
)

// seen is what one connection has seen; times are in microseconds.
type seen struct {
	times  []uint32
	errors int
}

func main() {
	flag.Parse()
	if !slices.Contains([]string{"create", "keyed", "read", "mix", "livez"}, *question) {
		log.Fatalf("no such question: %q", *question)
	}
	ids, err := readLines(*idsFile)
	if err != nil {
		log.Fatal(err)
	}
	results := make([]seen, *connections)
	cpu, began := cpuSeconds(), time.Now()
	end := began.Add(time.Duration(*seconds * float64(time.Second)))
	var running sync.WaitGroup
	for i := range results {
		running.Go(func() { results[i] = connection(ids, end) })
	}
	running.Wait()
	report(results, time.Since(began), cpuSeconds()-cpu)
}

// connection sends requests one after the other on a connection of its own until end.
func connection(ids []string, end time.Time) seen {
	client := &fasthttp.Client{
		MaxConnsPerHost:           1,
		MaxIdemponentCallAttempts: 1,
		TLSConfig:                 &tls.Config{InsecureSkipVerify: true}, // made for this run
	}
	request, response := fasthttp.AcquireRequest(), fasthttp.AcquireResponse()
	result := seen{times: make([]uint32, 0, 4096)}
	at := rand.IntN(max(len(ids), 1))
	for sent := time.Now(); sent.Before(end); {
		at++
		prepare(request, ids, at)
		err := client.DoTimeout(request, response, *timeout)
		now := time.Now()
		result.times = append(result.times, uint32(now.Sub(sent).Microseconds()))
		if err != nil || response.StatusCode()/100 != 2 {
			result.errors++
		}
		sent = now
	}
	return result
}

func prepare(request *fasthttp.Request, ids []string, at int) {
	request.Reset()
	if *token != "" {
		request.Header.Set("Authorization", "Bearer "+*token)
	}
	switch {
	case *question == "livez":
		request.SetRequestURI(*url + "/livez")
	case *question == "create" || *question == "keyed" || *question == "mix" && at%5 == 0:
		request.SetRequestURI(*url + "/orders")
		request.Header.SetMethod("POST")
		request.Header.SetContentType("application/json")
		if *question == "keyed" {
			request.Header.Set("Idempotency-Key", uuid.NewString())
		}
		fmt.Fprintf(request.BodyWriter(), `{"item":"espresso beans, 1 kg","quantity":%d}`, at%1000+1)
	default:
		request.SetRequestURI(*url + "/orders/" + ids[at%len(ids)])
	}
}

// cpuSeconds returns what this process has used so far, user and system.
func cpuSeconds() float64 {
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		log.Fatal(err)
	}
	return float64(used.Utime.Nano()+used.Stime.Nano()) / 1e9
}

func report(results []seen, taken time.Duration, cpu float64) {
	var times []uint32
	errors := 0
	for _, one := range results {
		times = append(times, one.times...)
		errors += one.errors
	}
	slices.Sort(times)
	permille := func(p int) float64 {
		if len(times) == 0 {
			return 0
		}
		return float64(times[len(times)*p/1000]) / 1e3
	}
	fmt.Printf(
		`{"requests":%d,"errors":%d,"seconds":%.6f,"p50_ms":%.3f,"p99_ms":%.3f,`+
			`"p999_ms":%.3f,"cpu_seconds":%.6f}`+"\n",
		len(times), errors, taken.Seconds(), permille(500), permille(990), permille(999), cpu,
	)
}

func readLines(name string) ([]string, error) {
	file, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	var lines []string
	scanner := bufio.NewScanner(file)
	for scanner.Scan() {
		lines = append(lines, scanner.Text())
	}
	return lines, scanner.Err()
}
