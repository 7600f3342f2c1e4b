// Starts Swagger UI: a file of its own, as the page's content security policy allows no inline script.
SwaggerUIBundle({
  url: "schema/openapi.json",
  dom_id: "#swagger-ui",
  deepLinking: true,
  displayRequestDuration: true,
  layout: "BaseLayout",
  presets: [SwaggerUIBundle.presets.apis],
  validatorUrl: null,
});
