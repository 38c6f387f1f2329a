"""Reviews: kinds that are questions. A create is answered, and nothing is stored."""

from __future__ import annotations

from collections.abc import Callable

from app.objects.change import Object
from app.registry.request import Request

# Answers a question: takes the request and the object as it was sent, checked against its schema, and gives the
# object with its `status`. Raises ApiError.
Review = Callable[[Request, Object], Object]
