"""PodSecurity: what pods may do, by the labels of their namespace.

https://kubernetes.io/docs/concepts/security/pod-security-standards/ and
https://kubernetes.io/docs/concepts/security/pod-security-admission/
"""
