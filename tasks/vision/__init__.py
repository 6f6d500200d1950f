"""What can see and draw: pictures, faces, mattes, colour and diffusion. Knows no records."""
