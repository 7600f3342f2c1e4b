// Command gin is Gin with pgx: release mode, gin.New without the logger and recovery middleware.
package main

import (
	"log"
	"net/http"

	"github.com/gin-gonic/gin"

	"orders.bench/peers/orders"
)

func main() {
	store := orders.Open()
	gin.SetMode(gin.ReleaseMode)
	app := gin.New()
	app.GET("/livez", func(c *gin.Context) { c.String(http.StatusOK, "Hello, World!") })
	app.POST("/orders", func(c *gin.Context) {
		var in orders.NewOrder
		if err := c.ShouldBindJSON(&in); err != nil {
			fail(c, orders.ErrInvalid)
			return
		}
		order, err := store.Create(c.Request.Context(), in)
		if err != nil {
			fail(c, err)
			return
		}
		c.Header("Location", "/orders/"+order.ID.String())
		c.JSON(http.StatusCreated, order)
	})
	app.GET("/orders/:id", func(c *gin.Context) {
		order, err := store.Get(c.Request.Context(), c.Param("id"))
		if err != nil {
			fail(c, err)
			return
		}
		c.JSON(http.StatusOK, order)
	})
	log.Fatal(app.Run(orders.Address()))
}

func fail(c *gin.Context, err error) {
	c.JSON(orders.Status(err), gin.H{"error": err.Error()})
}
