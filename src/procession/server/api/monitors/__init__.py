"""What Datadog's API has no place for: reasons, transitions, the back-test."""
