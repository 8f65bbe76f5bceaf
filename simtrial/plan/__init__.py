"""How patients come, are assessed, are lost and respond."""
