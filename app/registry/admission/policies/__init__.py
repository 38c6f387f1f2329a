"""ValidatingAdmissionPolicy: what requests must keep, written in CEL, in force where it is bound.

https://kubernetes.io/docs/reference/access-authn-authz/validating-admission-policy/
"""
