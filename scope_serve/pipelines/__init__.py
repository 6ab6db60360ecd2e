"""What pipeline authors import, and the registry of what they wrote."""
