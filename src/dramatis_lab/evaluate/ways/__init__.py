"""The ways of filming a long video that are compared, in processes of their own, and their operations."""
