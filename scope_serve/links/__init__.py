"""The frame link: one connection between a session host and the stage of one session."""
