// Command fiber-observed is the bare Fiber peer with the observability that this service has by
// default: a JSON access line per request, Prometheus metrics, and W3C trace context.
package main

import (
	"log"
	"os"

	"orders.bench/peers/fiberapp"
	"orders.bench/peers/observe"
	"orders.bench/peers/orders"
)

func main() {
	store := orders.Open()
	observer := observe.New("127.0.0.1:" + os.Getenv("METRICS_PORT"))
	store.Observe = observer.Statement
	log.Fatal(fiberapp.Listen(fiberapp.New(store, observer.Request)))
}
