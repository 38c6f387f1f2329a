"""HorizontalPodAutoscalers: replicas after what pods use."""
