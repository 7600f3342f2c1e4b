// Package observe gives a Fiber application an access log, metrics and trace context.
//
// It is made of what Go services use for speed: zerolog, client_golang with its default collectors,
// and a hand-written traceparent. No span is recorded, as in this service without an exporter.
package observe

import (
	"log"
	"net/http"
	"os"
	"strconv"
	"time"

	"github.com/gofiber/fiber/v3"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"github.com/rs/zerolog"
)

var buckets = []float64{.0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5}

// Observer holds the log and the metrics.
type Observer struct {
	log        zerolog.Logger
	requests   *prometheus.HistogramVec
	statements *prometheus.HistogramVec
	inFlight   prometheus.Gauge
}

// New makes an Observer and serves its metrics on address.
func New(address string) *Observer {
	zerolog.TimeFieldFormat = time.RFC3339Nano
	http.Handle("/metrics", promhttp.Handler())
	go func() { log.Fatal(http.ListenAndServe(address, nil)) }()
	return &Observer{
		log: zerolog.New(os.Stdout).With().Timestamp().Logger(),
		requests: promauto.NewHistogramVec(prometheus.HistogramOpts{
			Name:    "http_server_request_duration_seconds",
			Help:    "Duration of HTTP requests.",
			Buckets: buckets,
		}, []string{"http_request_method", "http_route", "http_response_status_code"}),
		statements: promauto.NewHistogramVec(prometheus.HistogramOpts{
			Name:    "db_client_operation_duration_seconds",
			Help:    "Duration of database operations.",
			Buckets: buckets,
		}, []string{"db_operation_name"}),
		inFlight: promauto.NewGauge(prometheus.GaugeOpts{
			Name: "http_server_active_requests",
			Help: "Requests in flight.",
		}),
	}
}

// Statement records one statement on the database.
func (o *Observer) Statement(operation string, began time.Time) {
	o.statements.WithLabelValues(operation).Observe(time.Since(began).Seconds())
}

// Request is the middleware: context in, the request, then its metrics and its line in the log.
func (o *Observer) Request(c fiber.Ctx) error {
	began := time.Now()
	trace := parse(c.Get("traceparent"))
	o.inFlight.Inc()
	err := c.Next()
	o.inFlight.Dec()
	c.Set("X-Correlation-ID", trace.traceID)
	taken, status, route := time.Since(began), c.Response().StatusCode(), c.Route().Path
	o.requests.WithLabelValues(c.Method(), route, strconv.Itoa(status)).Observe(taken.Seconds())
	if route != "/livez" {
		o.log.Info().
			Str("trace_id", trace.traceID).
			Str("span_id", trace.spanID).
			Str("parent_id", trace.parentID).
			Str("method", c.Method()).
			Str("route", route).
			Str("path", c.Path()).
			Int("status", status).
			Float64("duration_ms", float64(taken.Microseconds())/1e3).
			Msg("request")
	}
	return err
}
