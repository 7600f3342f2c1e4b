"""The OrderService resource: its types, from which the CRD is made, and its conditions."""
