"""`python -m orders_operator` is `orders-operator`."""

import sys

from orders_operator.cli import main

sys.exit(main())
