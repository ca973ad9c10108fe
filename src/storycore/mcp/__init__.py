"""The surface for agents: every operation as a tool of the Model Context Protocol, over stdio or HTTP."""
