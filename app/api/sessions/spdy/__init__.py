"""SPDY/3.1, as far as Kubernetes's clients speak it: streams with headers, data both ways, pings. No flow control
(they have none) and no pushes.

https://www.chromium.org/spdy/spdy-protocol/spdy-protocol-draft3-1/
"""
