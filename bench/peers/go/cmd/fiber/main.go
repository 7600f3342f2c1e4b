// Command fiber is Fiber v3 with pgx and no observability at all.
package main

import (
	"log"

	"orders.bench/peers/fiberapp"
	"orders.bench/peers/orders"
)

func main() {
	log.Fatal(fiberapp.Listen(fiberapp.New(orders.Open())))
}
