// Package fiberapp is the order API in Fiber v3, used bare and with observability in front.
package fiberapp

import (
	"github.com/gofiber/fiber/v3"

	"orders.bench/peers/orders"
)

// New makes the application; middleware runs before its three routes.
func New(store *orders.Store, middleware ...fiber.Handler) *fiber.App {
	app := fiber.New()
	for _, handler := range middleware {
		app.Use(handler)
	}
	app.Get("/livez", func(c fiber.Ctx) error { return c.SendString("Hello, World!") })
	app.Post("/orders", func(c fiber.Ctx) error {
		var in orders.NewOrder
		if err := c.Bind().JSON(&in); err != nil {
			return fail(c, orders.ErrInvalid)
		}
		order, err := store.Create(c.Context(), in)
		if err != nil {
			return fail(c, err)
		}
		c.Location("/orders/" + order.ID.String())
		return c.Status(fiber.StatusCreated).JSON(order)
	})
	app.Get("/orders/:id", func(c fiber.Ctx) error {
		order, err := store.Get(c.Context(), c.Params("id"))
		if err != nil {
			return fail(c, err)
		}
		return c.JSON(order)
	})
	return app
}

// Listen serves in this one process until it is ended.
func Listen(app *fiber.App) error {
	return app.Listen(orders.Address(), fiber.ListenConfig{DisableStartupMessage: true})
}

func fail(c fiber.Ctx, err error) error {
	return c.Status(orders.Status(err)).JSON(fiber.Map{"error": err.Error()})
}
