"""A smaller or faster encoder out of another one, each as a folder that `ENCODER` takes."""
