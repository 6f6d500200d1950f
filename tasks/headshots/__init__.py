"""Step 4: brand kit, shots, rendering and finishing."""
