// Package orders is what every Go peer shares: the order, its validation and its two statements.
//
// It is written as users of pgx write it: one pool, opened before the server listens, and pgx's
// default mode, which prepares each statement once per connection. POOL_SIZE is its size.
package orders

import (
	"context"
	"errors"
	"log"
	"os"
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

const (
	insertSQL = "INSERT INTO orders (id, item, quantity, created_at) VALUES ($1, $2, $3, $4)"
	selectSQL = "SELECT item, quantity, created_at FROM orders WHERE id = $1"
)

var (
	// ErrNotFound is answered with 404.
	ErrNotFound = errors.New("no such order")
	// ErrInvalid is answered with 400.
	ErrInvalid = errors.New("item: 1 to 200 characters; quantity: 1 to 1000000")
)

// NewOrder is what a caller sends.
type NewOrder struct {
	Item     string `json:"item"`
	Quantity int32  `json:"quantity"`
}

// Order is what is stored and answered.
type Order struct {
	ID        uuid.UUID `json:"id"`
	Item      string    `json:"item"`
	Quantity  int32     `json:"quantity"`
	CreatedAt time.Time `json:"created_at"`
}

// Store runs the two statements on a pool.
type Store struct {
	pool *pgxpool.Pool
	// Observe, where set, is told of every statement: what it was and when it began.
	Observe func(operation string, began time.Time)
}

// Open connects to DATABASE_URL with POOL_SIZE connections, or ends the process.
func Open() *Store {
	config, err := pgxpool.ParseConfig(os.Getenv("DATABASE_URL"))
	if err != nil {
		log.Fatal(err)
	}
	size, err := strconv.ParseInt(os.Getenv("POOL_SIZE"), 10, 32)
	if err != nil {
		log.Fatal("POOL_SIZE: ", err)
	}
	config.MinConns, config.MaxConns = int32(size), int32(size)
	pool, err := pgxpool.NewWithConfig(context.Background(), config)
	if err != nil {
		log.Fatal(err)
	}
	if err := pool.Ping(context.Background()); err != nil {
		log.Fatal(err)
	}
	return &Store{pool: pool}
}

// Create validates and commits a new order.
func (s *Store) Create(ctx context.Context, in NewOrder) (Order, error) {
	length := utf8.RuneCountInString(in.Item)
	if length < 1 || length > 200 || in.Quantity < 1 || in.Quantity > 1_000_000 {
		return Order{}, ErrInvalid
	}
	id, err := uuid.NewV7()
	if err != nil {
		return Order{}, err
	}
	order := Order{id, in.Item, in.Quantity, time.Now().UTC().Truncate(time.Millisecond)}
	if s.Observe != nil {
		defer s.Observe("insert", time.Now())
	}
	_, err = s.pool.Exec(ctx, insertSQL, [16]byte(id), order.Item, order.Quantity, order.CreatedAt)
	return order, err
}

// Get reads one order by its id, given as text.
func (s *Store) Get(ctx context.Context, text string) (Order, error) {
	id, err := uuid.Parse(text)
	if err != nil {
		return Order{}, ErrInvalid
	}
	if s.Observe != nil {
		defer s.Observe("select", time.Now())
	}
	order := Order{ID: id}
	row := s.pool.QueryRow(ctx, selectSQL, [16]byte(id))
	err = row.Scan(&order.Item, &order.Quantity, &order.CreatedAt)
	if errors.Is(err, pgx.ErrNoRows) {
		return Order{}, ErrNotFound
	}
	order.CreatedAt = order.CreatedAt.UTC()
	return order, err
}

// Status maps an error of Create or Get to its HTTP status.
func Status(err error) int {
	switch {
	case errors.Is(err, ErrInvalid):
		return 400
	case errors.Is(err, ErrNotFound):
		return 404
	default:
		return 500
	}
}

// Address is where the server listens: loopback, on HTTP_PORT.
func Address() string { return "127.0.0.1:" + os.Getenv("HTTP_PORT") }
