"""The trial simulated in calendar time, patient by patient."""
