"""The exact consequences of a plan: decisions and months without simulation."""
