// Command echo is Echo v5 with pgx and no middleware.
package main

import (
	"context"
	"log"
	"net/http"

	"github.com/labstack/echo/v5"

	"orders.bench/peers/orders"
)

func main() {
	store := orders.Open()
	app := echo.New()
	app.GET("/livez", func(c *echo.Context) error { return c.String(http.StatusOK, "Hello, World!") })
	app.POST("/orders", func(c *echo.Context) error {
		var in orders.NewOrder
		if err := c.Bind(&in); err != nil {
			return fail(c, orders.ErrInvalid)
		}
		order, err := store.Create(c.Request().Context(), in)
		if err != nil {
			return fail(c, err)
		}
		c.Response().Header().Set("Location", "/orders/"+order.ID.String())
		return c.JSON(http.StatusCreated, order)
	})
	app.GET("/orders/:id", func(c *echo.Context) error {
		order, err := store.Get(c.Request().Context(), c.Param("id"))
		if err != nil {
			return fail(c, err)
		}
		return c.JSON(http.StatusOK, order)
	})
	config := echo.StartConfig{Address: orders.Address(), HideBanner: true, HidePort: true}
	log.Fatal(config.Start(context.Background(), app))
}

func fail(c *echo.Context, err error) error {
	return c.JSON(orders.Status(err), map[string]string{"error": err.Error()})
}
