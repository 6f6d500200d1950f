"""The desk's door: who is asking, how they sign in, how often they may try, and which route takes which role."""
