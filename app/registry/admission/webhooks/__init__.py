"""Dynamic admission: webhooks that clusters' own programs serve.

https://kubernetes.io/docs/reference/access-authn-authz/extensible-admission-controllers/
"""
