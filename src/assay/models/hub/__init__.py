"""Models of the Transformers library, taken as they are: ``hf:NAME_OR_FOLDER``.

One file for each family: `contrastive`, `classifiers`, `captioners`, `chat`, `speech`, `encoders`. `load` finds out which it is.
"""
