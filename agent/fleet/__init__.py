"""The devices of this station: one worker each, and the board where their latest values stand."""
