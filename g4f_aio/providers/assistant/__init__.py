"""The parts of the offline assistant: documentation search, facts about the gateway, exact tools."""
