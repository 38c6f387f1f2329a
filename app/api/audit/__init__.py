"""The audit log: who asked for what, and what came of it, in the form of Kubernetes's audit.k8s.io/v1.

https://kubernetes.io/docs/tasks/debug/debug-cluster/audit/
"""
