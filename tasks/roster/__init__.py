"""Step 1: any HR export becomes employees and problems."""
