"""The models: plain Python on NumPy and PyTorch. No Django, no tenant, no network of its own.

What goes in and comes out is in `ml.types`, what can go wrong in `ml.errors`. Heavy libraries are
imported where a model runs, so that `ml.types`, `ml.errors` and `ml.artifact` import in
milliseconds.
"""
